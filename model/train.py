"""Trains this step's model, prints how surprised it is, and lets it invent names."""

import argparse
import math
import random
import sys

import numpy as np

from engine.autograd import no_grad
from engine.cost import count_bytes
from engine.memory import keep_memory
from engine.ops import cross_entropy
from engine.optim import AdamW, clip_grad_norm, decay_groups, warm_up_cool_down
from engine.parallel import Team
from model import STEP
from model.checkpoint import CHECKPOINT, claim, fill, read, set_aside, unusable, write
from model.count import bits_per_byte, yardsticks
from model.data import NAMES, load_data
from model.gpt import CONFIGS, GPT, count_flops
from model.picture import draw_or_fail
from model.progress import Progress, fail
from model.progress import run as run_program
from model.sample import sample_name, sample_text
from model.watch import LOG, open_log, read_log, write_line

NAMES_RUN = {"model": "names", "learning_rate": 0.02, "steps": 2700, "batch_size": 32, "merges": 0}
TEXT_RUN = {"model": "stories", "learning_rate": 0.005, "steps": 3000, "batch_size": 16}
TEXT_RUN |= {"merges": 1024, "processes": 2}
EITHER = {"processes": 1, "parts": 1, "dropout": 0.0, "save_every": 100, "watch_every": 250}
WEIGHT_DECAY, MOST_NORM = 0.1, 1.0

MOST = {"steps": 10_000_000, "batch_size": 100_000, "save_every": 10_000_000}
MOST |= {"watch_every": 10_000_000, "processes": 64}


class Run:
    """A training in progress: its settings, and all else that the next step depends on."""

    def __init__(self, model, data, settings):
        self.model, self.data = model, data
        self.settings = EITHER | settings
        self.team = Team(model, self.settings["processes"], model.drop.noise)
        self.optimizer = AdamW(decay_groups(model, WEIGHT_DECAY), self.settings["learning_rate"])
        self.rng, self.done = random.Random(2), 0

    def step(self):
        """One batch, one step downhill. Returns what there is to tell about it."""
        x, y = self.data.batch(self.rng, self.settings["batch_size"])
        self.optimizer.zero_grad()
        loss = accumulate(self.team, x, y, self.settings["parts"])
        if not loss < 1000:
            got = f"a loss of {loss:.0f} at step {self.done + 1}"
            raise ValueError(f"got {got}; expected a lower --learning-rate")
        norm = clip_grad_norm(self.optimizer.params, MOST_NORM)
        share = warm_up_cool_down(self.done, self.settings["steps"])
        self.optimizer.lr = share * self.settings["learning_rate"]
        self.optimizer.step()
        self.done += 1
        bits = bits_per_byte(loss, [(x, y)], self.data)
        told = {"step": self.done, "loss": loss, "bits_per_byte": bits}
        told |= {"tokens": int((y >= 0).sum()), "norm": norm, "learning_rate": self.optimizer.lr}
        return told

    def ask(self):
        """The loss on some of what is held out, and what the model writes at this moment."""
        model, data, rng = self.model.eval(), self.data, random.Random(1)
        parts = data.parts(held_out=True)[:1]
        held_out = average_loss(model, parts)
        if not held_out < 1000:
            got = f"a held-out loss of {held_out:.0f} after step {self.done}"
            raise ValueError(f"got {got}; expected a lower --learning-rate")
        if data.tokenizer is None:
            sample = " ".join(sample_name(model, rng) for _ in range(5))
        else:
            sample = sample_text(model, rng, data.tokenizer, length=40).strip()
        model.train()
        return {"held_out": bits_per_byte(held_out, parts, data), "sample": sample}

    def arrays(self):
        """{name: array}: each weight, and its averages m and v in AdamW."""
        names = {weight: name for name, weight in self.model.named_parameters()}
        found = {}
        for w, m, v in zip(self.optimizer.params, self.optimizer.m, self.optimizer.v):
            found |= {f"weight.{names[w]}": w.data, f"m.{names[w]}": m, f"v.{names[w]}": v}
        return found

    def state(self):
        """All else, as JSON can hold it."""
        return {
            "step": STEP,
            "settings": self.settings,
            "sizes": self.model.sizes,
            "merges": self.data.tokenizer and self.data.tokenizer.merges,
            "digest": self.data.digest,
            "done": self.done,
            "rng": self.rng.getstate(),
            "noise": self.model.drop.noise.bit_generator.state,
        }

    def save(self):
        write(CHECKPOINT, self.arrays(), self.state())

    def restore(self, arrays, state):
        """Goes on from where arrays() and state() were taken."""
        if state["digest"] != self.data.digest:
            got = f"other data in {self.settings['data']}"
            raise ValueError(f"checkpoint: got {got}; expected what it was learning from")
        fill(self.arrays(), arrays)
        try:
            self.done = self.optimizer.t = int(state["done"])
            version, numbers, spare = state["rng"]
            self.rng.setstate((version, tuple(numbers), spare))
            self.model.drop.noise.bit_generator.state = state["noise"]
        except (ValueError, TypeError, LookupError, ArithmeticError):
            raise unusable(CHECKPOINT, "a damaged state") from None
        if self.done not in range(self.settings["steps"] + 1):
            raise unusable(CHECKPOINT, f"{self.done} steps done of {self.settings['steps']}")


def check(settings):
    """Raises ValueError where a number is outside of its range."""
    for name, most in MOST.items():
        if settings[name] not in range(1, most + 1):
            got = f"--{name.replace('_', '-')} {settings[name]}"
            raise ValueError(f"got {got}; expected 1 to {most:,}")
    parts, batch, dropout = (settings[name] for name in ("parts", "batch_size", "dropout"))
    if parts not in range(1, batch + 1):
        raise ValueError(f"got {parts} parts; expected 1 to {batch}, the batch")
    if not 0 <= dropout < 1:
        raise ValueError(f"got the dropout {dropout}; expected a share of at least 0, below 1")
    if not 0 < settings["learning_rate"] < math.inf:
        got = f"the learning rate {settings['learning_rate']}"
        raise ValueError(f"got {got}; expected a number above 0")
    if settings["merges"] < 0:
        raise ValueError(f"got {settings['merges']} merges; expected 0 or more")


def begin(settings):
    """A Run before its first step.

    Raises ValueError where a number is outside of its range, or the data cannot be had.
    """
    check(EITHER | settings)
    sizes = CONFIGS[settings["model"]]
    data = load_data(settings["data"], settings["names"] or NAMES, sizes["T"], settings["merges"])
    scale = 0.4 / math.sqrt(sizes["C"])  # 0.1 at 16 channels, less where more is added up
    dropout = settings["dropout"]
    model = GPT(random.Random(2), V=data.V, scale=scale, dropout=dropout, **sizes)
    return Run(model.to(np.float32), data, settings)


def resume():
    """The Run that a checkpoint holds, as it was saved."""
    arrays, state = read(CHECKPOINT)
    try:
        run = begin(state["settings"])
        run.restore(arrays, state)
    except (TypeError, LookupError):
        raise unusable(CHECKPOINT, "a damaged state") from None
    return run


def train(run, save=lambda: None, tell=lambda told: None):
    """Walks downhill, a batch at a time; tells of each step; saves now and then, and at the end."""
    progress = Progress(range(run.done, run.settings["steps"]))
    for _ in progress:
        told = run.step()
        progress.note(told["loss"], told["tokens"])
        if run.done % run.settings["watch_every"] == 0:
            told |= run.ask()
            progress.say(f"{told['held_out']:.3f} bits per byte held out: {told['sample']!r}")
        tell(told)
        if run.done % run.settings["save_every"] == 0:
            save()
    save()
    return progress


def accumulate(team, x, y, parts):
    """The loss of a batch, and its gradients, added up part after part; x, y (B, T)

    loss = the sum of (tokens of the part / tokens of the batch) * (mean loss of the part)
    Only one part's graph is in memory at a time. Adds to the gradients that are there.
    """
    loss, tokens = 0.0, (y >= 0).sum()
    for inputs, targets in zip(np.array_split(x, parts), np.array_split(y, parts)):
        loss += team.backward(inputs, targets, tokens)
    return loss


def cost(model, x, y, parts):
    """What a training step on this batch takes, in one line; counted on the first of its parts."""
    rows = math.ceil(len(x) / parts)  # array_split makes the first part the largest
    nodes, moved = count_bytes(cross_entropy(model(x[:rows]), y[:rows]))
    flops, moved = count_flops(model, *x.shape), moved * len(x) / rows
    return f"a step: {flops / 1e9:.3f} GFLOP · {moved / 1e6:.1f} MB moved · {nodes * parts} nodes"


def average_loss(model, batches):
    """The loss a token, over all tokens of the batches (x, y)."""
    total, tokens = 0.0, 0
    for x, y in batches:
        with no_grad():
            total += cross_entropy(model(x), y).item() * (y >= 0).sum()
        tokens += (y >= 0).sum()
    return total / tokens


def main():
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("--data", help="stories (default), names, shakespeare, or a text file")
    parser.add_argument("--names", help="a text file with one name a line, for --data names")
    parser.add_argument("--model", choices=CONFIGS, help="sizes; default stories, for names names")
    parser.add_argument("--learning-rate", type=float, help="default 0.02, for a text 0.005")
    parser.add_argument("--steps", type=int, help="default 2700, for a text 3000")
    parser.add_argument("--batch-size", type=int, help="rows a step; default 32, for a text 16")
    parser.add_argument("--processes", type=int, help="share a batch; default 1, for a text 2")
    parser.add_argument("--parts", type=int, help="of a batch, one after another; default 1")
    parser.add_argument("--dropout", type=float, help="a share; default 0")
    parser.add_argument("--merges", type=int, help="default 1024; 0: single bytes")
    parser.add_argument("--save-every", type=int, help="steps; default 100")
    parser.add_argument("--watch-every", type=int, help="steps; default 250")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    options = parser.parse_args()
    resuming = vars(options).pop("resume")
    if resuming and set(vars(options).values()) != {None}:
        fail("train: got --resume with other options; expected it alone: the checkpoint has them")
    if "" in (options.data, options.names):
        fail("train: got an empty --data or --names; expected the name of a file")
    options.data = options.data or ("names" if options.names else "stories")
    if options.names and options.data != "names":
        fail(f"train: got --names with --data {options.data}; expected --data names")
    if options.merges is not None and options.data == "names":
        fail(f"train: got {options.merges} merges for names; expected --merges with a text only")
    usual = NAMES_RUN if options.data == "names" else TEXT_RUN
    for name, value in (EITHER | usual).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    np.seterr(over="ignore", invalid="ignore")  # the loss tells, in one line
    keep_memory()
    try:
        claim()
        run = resume() if resuming else begin(vars(options))
        if not resuming:
            # From now on the file is this run's, and a folder that cannot be written is known.
            set_aside()
            run.save()
        first = {"floor": run.data.floor and run.data.floor / math.log(2)}
        with open_log(first, run.done) as log:
            progress = train(run, run.save, lambda told: write_line(log, told))
    except ValueError as error:
        fail(f"train: {error}")
    except OSError as error:
        fail(f"train: got {error.strerror} at {error.filename or LOG}; expected to write there")
    except MemoryError:
        got = f"batches of {options.batch_size}"
        fail(f"train: got {got}, too large for memory; expected more --parts")
    if progress.stopped:
        told = f"stopped after {run.done} of {run.settings['steps']} steps; --resume goes on"
        print(told, file=sys.stderr)

    model, data = run.model.eval(), run.data
    size = sum(weight.data.size for weight in model.parameters())
    loss = average_loss(model, data.parts(held_out=False))
    parts = data.parts(held_out=True)
    held_out = average_loss(model, parts)
    if not held_out < 1000:
        fail(f"train: got a held-out loss of {held_out:.0f}; expected a lower --learning-rate")
    print(
        f"{STEP} · {size:,} weights · loss {loss:.4f} · held-out {held_out:.4f} · "
        f"bits per byte {bits_per_byte(held_out, parts, data):.4f} · {progress.speed()}"
    )
    batch = data.batch(random.Random(1), run.settings["batch_size"])
    print(cost(model.train(), *batch, run.settings["parts"]))
    print(yardsticks(data))
    rng = random.Random(1)
    model.eval()
    if data.tokenizer is None:
        print(" ".join(sample_name(model, rng) for _ in range(10)))
    else:
        print(sample_text(model, rng, data.tokenizer, length=120).strip())
    draw_or_fail("train", read_log())


if __name__ == "__main__":
    run_program(main)
