"""Trains this step's model, prints how surprised it is, and lets it invent names."""

import argparse
import math
import random
import sys

import numpy as np

from engine.backend import DEVICES, on
from engine.cost import count_bytes
from engine.memory import keep_memory
from engine.ops import cross_entropy
from kernels.device import best
from kernels.guard import Guard
from kernels.speed import floor, here
from model import STEP
from model.count import bits_per_byte, yardsticks
from model.gpt import CONFIGS, count_flops
from model.options import NAMES_RUN, SIMULATED_RUN, TEXT_RUN, add_options
from model.run import average_loss, begin, resume
from model.sample import sample_line
from model.services.checkpoint import lock, set_aside
from model.services.picture import draw_or_fail
from model.services.progress import Progress, fail, run_program
from model.services.watch import LOG, open_log, read_log, write_line


def train(run, save=lambda: None, log=lambda metrics: None):
    """Walks downhill, a batch at a time; logs each step; saves now and then, and at the end.

    A device is given step after step. Only where a number is wanted do we wait for it, and then
    read what all steps since the last time have left.
    """
    progress, unread = Progress(range(run.done, run.settings["steps"])), []

    def read():
        while unread:
            metrics = run.read(unread.pop(0))
            progress.note(metrics["loss"], metrics["tokens"])
            # Such a step is read before another one is enqueued.
            if metrics["step"] % run.settings["watch_every"] == 0:
                metrics |= run.evaluate()
                told = f"{metrics['held_out']:.3f} bits per byte held out: {metrics['sample']!r}"
                progress.say(told)
            log(metrics)

    for _ in progress:
        unread.append(run.enqueue())
        watch, keep = (run.done % run.settings[f"{word}_every"] == 0 for word in ("watch", "save"))
        if watch or keep or progress.due():
            read()
        if keep:
            save()
    read()
    save()
    return progress


def cost(model, x, y, micro_batches):
    """FLOPs, bytes, nodes of a batch's loss and gradients; counted on the first micro-batch."""
    rows = math.ceil(len(x) / micro_batches)  # array_split makes the first the largest
    backend = on(model.tok_emb.data)
    nodes, moved = count_bytes(lambda: cross_entropy(model(x[:rows]), y[:rows]), backend)
    flops, moved = count_flops(model, *x.shape), moved * len(x) / rows
    return flops, moved, nodes * micro_batches


def device_line(run):
    """Where a run computes, and how often a step of it asks the device, and how often it cannot."""
    device = run.settings["device"]
    if device == "cpu":
        return f"device {device}"
    return f"device {device} · {run.launches} launches · {run.fallbacks} fallbacks a step"


def percents(run, progress, flops, moved):
    """On a GPU, the share of a step's time that its bytes take at least, and that its FLOPs do."""
    if run.settings["device"] != "cuda" or progress.steps == 0:
        return ""
    try:
        gpu = here()
    except RuntimeError as error:  # torch's, where the model leaves no room for the large copy
        if "out of memory" not in str(error):
            raise
        return " · too little memory left to measure the GPU's speeds"
    seconds = progress.seconds / progress.steps
    floors = floor((moved, 0), gpu), floor((0, 0, flops), gpu)
    memory, arithmetic = (100 * least / seconds for least, _ in floors)
    return f" · {memory:.0f} % of the memory's speed · {arithmetic:.0f} % of the arithmetic's"


def main():
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("--data", help="stories, names (if simulated), shakespeare or a text file")
    parser.add_argument("--names", help="a text file with one name a line, for --data names")
    parser.add_argument("--model", choices=CONFIGS, help="sizes; default stories, for names names")
    add_options(parser)
    parser.add_argument("--device", choices=DEVICES, help="where; default cuda, else simulate")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    options = parser.parse_args()
    resuming, device = vars(options).pop("resume"), options.device
    if resuming and {**vars(options), "device": None} != dict.fromkeys(vars(options)):
        expected = "expected it alone or with --device: the checkpoint has them"
        fail(f"train: got --resume with other options; {expected}")
    if device is None and not resuming:
        # Several processes share this computer's memory, in which a device has no part.
        options.device, missing = ("cpu", None) if options.processes else best()
        if missing:
            print(missing, file=sys.stderr)
    if options.device not in ("cpu", None) and options.processes not in (1, None):
        got = f"{options.processes} processes"
        fail(f"train: got {got}; expected 1 with --device {options.device}")
    if "" in (options.data, options.names):
        fail("train: got an empty --data or --names; expected the name of a file")
    smaller = options.names or options.device == "simulate"
    options.data = options.data or ("names" if smaller else "stories")
    if options.names and options.data != "names":
        fail(f"train: got --names with --data {options.data}; expected --data names")
    if options.merges is not None and options.data == "names":
        fail(f"train: got {options.merges} merges for names; expected --merges with a text only")
    usual = NAMES_RUN if options.data == "names" else TEXT_RUN
    if options.data == "names" and options.device == "simulate":
        usual = SIMULATED_RUN
    for name, value in usual.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    np.seterr(over="ignore", invalid="ignore")  # the loss tells, in one line
    keep_memory()
    Guard.on = False  # tests watch the kernels
    try:
        lock()
        run = resume(device) if resuming else begin(vars(options))
        if not resuming:
            # From now on the file is this run's, and a folder that cannot be written is known.
            set_aside()
            run.save()
        first = {"floor": run.data.floor and run.data.floor / math.log(2)}
        with open_log(first, run.done) as log:
            progress = train(run, run.save, lambda metrics: write_line(log, metrics))
    except ValueError as error:
        fail(f"train: {error}")
    except OSError as error:
        fail(f"train: got {error.strerror} at {error.filename or LOG}; expected to write there")
    except MemoryError:
        got = f"batches of {options.batch_size}"
        fail(f"train: got {got}, too large for memory; expected more --micro-batches")
    if progress.stopped:
        message = f"stopped after {run.done} of {run.settings['steps']} steps; --resume goes on"
        print(message, file=sys.stderr)

    model, data = run.model.eval(), run.data
    size = sum(weight.data.size for weight in model.parameters())
    loss = average_loss(model, data.batches(held_out=False))
    batches = data.batches(held_out=True)
    held_out = average_loss(model, batches)
    if not held_out < 1000:
        fail(f"train: got a held-out loss of {held_out:.0f}; expected a lower --learning-rate")
    print(
        f"{STEP} · {size:,} weights · loss {loss:.4f} · held-out {held_out:.4f} · "
        f"bits per byte {bits_per_byte(held_out, batches, data):.4f} · {progress.speed()}"
    )
    batch = data.batch(random.Random(1), run.settings["batch_size"])
    flops, moved, nodes = cost(model.train(), *batch, run.settings["micro_batches"])
    print(f"a step: {flops / 1e9:.3f} GFLOP · {moved / 1e6:.1f} MB moved · {nodes} nodes")
    print(device_line(run) + percents(run, progress, flops, moved))
    print(yardsticks(data))
    print(sample_line(model.eval(), random.Random(1), data.tokenizer, length=120))
    draw_or_fail("train", read_log())


if __name__ == "__main__":
    run_program(main)
