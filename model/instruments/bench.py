"""Races our engine against PyTorch: training steps of one GPT on two cores, in float32.

Both have the same weights, batches and optimizer, and must have the same losses. Each contender
is a process of its own, and they take turns. ratio: the time of a step of ours over that of
PyTorch, eager or compiled, whichever is faster; the median over the rounds. MB: the most memory
at any time, above what was there after the imports.
"""

import argparse
import importlib.util
import itertools
import math
import multiprocessing
import os
import random
import resource
import signal
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np

from engine.memory import keep_memory
from engine.optim import decay_groups
from engine.parallel import make_worker
from model.gpt import CONFIGS, GPT
from model.services.progress import fail, run_program

V, LEARNING_RATE, WEIGHT_DECAY = 65, 0.001, 0.1
# The rows of a batch.
ROWS = {"names": 2, "tiny": 16, "small": 12, "medium": 8}


def peak(whose=resource.RUSAGE_SELF):
    """The most memory that this process, or the largest that it started, has used, in MB."""
    most = resource.getrusage(whose).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def steps(name, size):
    """Trains by a batch whenever a loss is asked for."""
    config = replace(CONFIGS[size], V=V)
    model = GPT(random.Random(1), config).to(np.float32)
    if name == "ours":
        keep_memory()
        worker = make_worker(model, decay_groups(model, WEIGHT_DECAY), LEARNING_RATE, processes=2)
        backward, step = worker.backward, partial(worker.step, math.inf)
    else:
        from model.instruments.torch_gpt import opponent

        backward, step = opponent(model, LEARNING_RATE, WEIGHT_DECAY, name)
    batches = np.random.default_rng(1).integers(0, V, (8, ROWS[size], config.T + 1))
    for rows in itertools.cycle(batches):
        loss = backward(rows[:, :-1], rows[:, 1:])
        step()
        yield loss


# What stays in a contender's process from one call to the next.
here = {}


def start(name, size):
    """Its first five losses."""
    if name != "ours":
        importlib.import_module("model.instruments.torch_gpt")
    here["imported"], here["steps"] = peak(), steps(name, size)
    return [next(here["steps"]) for _ in range(5)]


def turn():
    """Milliseconds of a step: steps for half a second, after one that does not count."""
    next(here["steps"])
    times = []
    while sum(times) < 0.5 or len(times) < 2:
        before = time.perf_counter()
        next(here["steps"])
        times.append(time.perf_counter() - before)
    return 1000 * statistics.median(times)


def memory(name):
    """MB of the contender, with its helper, which ends with its steps."""
    here.pop("steps").close()
    if name != "ours":
        return peak() - here["imported"]
    for helper in multiprocessing.active_children():
        helper.join()
    return peak() + peak(resource.RUSAGE_CHILDREN) - 2 * here["imported"]


def race(size, names, rounds):
    """Prints a line for each contender; returns the ratio."""
    config = CONFIGS[size]
    print(f"{size} B{ROWS[size]} T{config.T} C{config.C} H{config.H} L{config.L}")
    spawn = multiprocessing.get_context("spawn")
    # Ctrl-C is for this process alone, which then ends the race.
    deaf = signal.signal, (signal.SIGINT, signal.SIG_IGN)
    processes = {name: ProcessPoolExecutor(1, spawn, *deaf) for name in names}
    expected = None
    for name in names:
        try:
            losses = processes[name].submit(start, name, size).result()
        except Exception as error:
            if name != "compiled":
                raise
            print(f"  torch.compile does not run here: {error}".splitlines()[0])
            processes.pop(name).shutdown()
            continue
        expected = expected or losses
        if not np.allclose(losses, expected, rtol=1e-5):
            fail(f"bench: got losses {losses} of {name}; expected ours, {expected}")
    print("  equal losses", *(f"{loss:.4f}" for loss in expected))
    times = {name: [] for name in processes}
    for name in list(processes) * rounds:
        # The threads of the last contender may still ask for work, over and over.
        time.sleep(0.2)
        times[name].append(processes[name].submit(turn).result())
    for name, process in processes.items():
        mb = process.submit(memory, name).result()
        process.shutdown()
        print(f"  {name:8} {statistics.median(times[name]):8.1f} ms {mb:6.0f} MB")
    best = min(set(times) - {"ours"}, key=lambda name: statistics.median(times[name]))
    ratio = statistics.median(a / b for a, b in zip(times["ours"], times[best]))
    print(f"  ratio {ratio:.2f}", flush=True)
    return ratio


def main():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=ROWS, default=["tiny", "small", "medium"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--eager", action="store_true", help="leave torch.compile out")
    options = parser.parse_args()
    if options.rounds < 1:
        fail(f"bench: got {options.rounds} rounds; expected at least 1")
    if importlib.util.find_spec("torch") is None:
        fail("bench: got no PyTorch; expected an environment with it: make test WITH=torch")
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="2")
    names = ["ours", "eager"] + ([] if options.eager else ["compiled"])
    print(f"worst ratio {max(race(size, names, options.rounds) for size in options.sizes):.2f}")


if __name__ == "__main__":
    run_program(main)
