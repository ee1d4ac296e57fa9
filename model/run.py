"""A training in progress: a model, its data, and all else that the next step depends on."""

import math
import random
from dataclasses import asdict, replace

import numpy as np

from engine import cpu
from engine.autograd import no_grad
from engine.backend import fallbacks, host, number, on
from engine.ops import cross_entropy
from engine.optim import decay_groups, warm_up_cool_down
from engine.parallel import make_worker
from kernels.language import launches
from model import STEP
from model.count import bits_per_byte
from model.data import NAMES_FILE, load_data
from model.gpt import CONFIGS, GPT
from model.options import NAMES_RUN, check
from model.sample import sample_line
from model.services.checkpoint import CHECKPOINT, load_state_dict, read, unusable, write

WEIGHT_DECAY, MAX_NORM = 0.1, 1.0


class Run:
    """A training in progress: its settings, and all else that the next step depends on."""

    def __init__(self, model, data, settings):
        self.model, self.data = model, data
        self.settings = NAMES_RUN | settings  # what is not given is as for names
        groups, lr = decay_groups(model, WEIGHT_DECAY), self.settings["learning_rate"]
        # Several processes share this computer's memory; a device has one of its own.
        alone = on(model.tok_emb.data) is not cpu
        processes = 1 if alone else self.settings["processes"]
        self.worker = make_worker(model, groups, lr, processes, model.noise)
        self.optimizer = self.worker.optimizer
        self.rng, self.done = random.Random(2), 0
        self.launches = self.fallbacks = 0  # of the last step

    def step(self):
        """One batch, one step downhill. Returns its metrics, such as the loss."""
        return self.read(self.enqueue())

    def enqueue(self):
        """One batch, one step downhill. Returns what read makes its metrics of.

        A device has only been told then what to do: the numbers may not be there yet.
        """
        launches.clear()
        fallbacks.clear()
        x, y = self.data.batch(self.rng, self.settings["batch_size"])
        loss = self.worker.backward(x, y, self.settings["micro_batches"])
        share = warm_up_cool_down(self.done, self.settings["steps"])
        self.optimizer.lr = share * self.settings["learning_rate"]
        norm = self.worker.step(MAX_NORM)
        self.done += 1
        self.launches, self.fallbacks = launches.total(), fallbacks.total()
        return self.done, (x, y), loss, norm, self.optimizer.lr

    def read(self, enqueued):
        """The metrics of a step, for which this waits.

        Raises ValueError where the loss is too high to go on.
        """
        step, (x, y), loss, norm, lr = enqueued
        loss = number(loss)
        if not loss < 1000:
            got = f"a loss of {loss:.0f} at step {step}"
            raise ValueError(f"got {got}; expected a lower --learning-rate")
        bits = bits_per_byte(loss, [(x, y)], self.data)
        metrics = {"step": step, "loss": loss, "bits_per_byte": bits}
        metrics |= {"tokens": int((y >= 0).sum()), "norm": number(norm), "learning_rate": lr}
        return metrics

    def evaluate(self):
        """Bits per byte on some of what is held out, and what the model writes at this moment."""
        model, data = self.model.eval(), self.data
        batches = data.batches(held_out=True)[:1]
        held_out = average_loss(model, batches)
        if not held_out < 1000:
            got = f"a held-out loss of {held_out:.0f} after step {self.done}"
            raise ValueError(f"got {got}; expected a lower --learning-rate")
        sample = sample_line(model, random.Random(1), data.tokenizer, length=40)
        model.train()
        return {"held_out": bits_per_byte(held_out, batches, data), "sample": sample}

    def arrays(self):
        """{name: array}: each weight, and its averages m and v in AdamW."""
        names = {weight: name for name, weight in self.model.named_parameters()}
        flat, found = self.worker.flat, {}
        for w, m, v in zip(flat.params, *map(flat.views, (self.optimizer.m, self.optimizer.v))):
            found |= {f"weight.{names[w]}": w.data, f"m.{names[w]}": m, f"v.{names[w]}": v}
        return found

    def state(self):
        """All else, as JSON can hold it."""
        return {
            "step": STEP,
            "settings": self.settings,
            "config": asdict(self.model.config),
            "tokenizer": self.data.tokenizer.state(),
            "digest": self.data.digest,
            "done": self.done,
            "rng": self.rng.getstate(),
            "noise": self.model.noise.offset,
        }

    def save(self):
        write(CHECKPOINT, {name: host(x) for name, x in self.arrays().items()}, self.state())

    def restore(self, arrays, state):
        """Goes on from where arrays() and state() were taken."""
        if state["digest"] != self.data.digest:
            got = f"other data in {self.settings['data']}"
            raise ValueError(f"checkpoint: got {got}; expected what it was learning from")
        load_state_dict(self.arrays(), arrays)
        try:
            self.done = self.optimizer.t = int(state["done"])
            version, numbers, spare = state["rng"]
            self.rng.setstate((version, tuple(numbers), spare))
            self.model.noise.offset = int(state["noise"])
        except (ValueError, TypeError, LookupError, ArithmeticError):
            raise unusable(CHECKPOINT, "a damaged state") from None
        if self.done not in range(self.settings["steps"] + 1):
            raise unusable(CHECKPOINT, f"{self.done} steps done of {self.settings['steps']}")
        if self.model.noise.offset not in range(2**64):
            raise unusable(CHECKPOINT, f"the noise at {self.model.noise.offset}")


def begin(settings):
    """A Run before its first step. settings["device"]: where it computes, of engine/backend.py.

    Raises ValueError where a number is outside of its range, or the data cannot be had.
    """
    check(settings)
    config = CONFIGS[settings["model"]]
    data = load_data(
        settings["data"], settings["names"] or NAMES_FILE, config.T, settings["merges"]
    )
    scale = 0.4 / math.sqrt(config.C)  # 0.1 at 16 channels, less where more is added up
    config = replace(config, V=data.V, scale=scale, dropout=settings["dropout"])
    model = GPT(random.Random(2), config)
    return Run(model.to(np.float32).to(settings["device"]), data, settings)


def resume(device=None):
    """The Run that a checkpoint holds, as it was saved. It may go on on another device."""
    arrays, state = read(CHECKPOINT)
    try:
        run = begin(state["settings"] | ({"device": device} if device else {}))
        run.restore(arrays, state)
    except (TypeError, LookupError):
        raise unusable(CHECKPOINT, "a damaged state") from None
    return run


def average_loss(model, batches):
    """The loss a token, over all tokens of the batches (x, y)."""
    total, tokens = 0.0, 0
    for x, y in batches:
        with no_grad():
            total += cross_entropy(model(x), y).item() * (y >= 0).sum()
        tokens += (y >= 0).sum()
    return total / tokens
