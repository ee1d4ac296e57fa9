"""Where the time of a training step goes: python -m model.profile --model gpt2

Weights and tokens are random: the time does not depend on what they are. Each line is a function
of engine/cpu.py; "all else" is what is done outside of it, such as additions, and the graph.
"""

import argparse
import inspect
import time
from collections import Counter

import numpy as np

from engine import cpu
from engine.memory import keep_memory
from engine.ops import cross_entropy
from engine.optim import AdamW, decay_groups
from model.gpt import CONFIGS, GPT, count_flops
from model.progress import fail, run

V = 50_257


def clock(module, calls, seconds):
    """Puts a stopwatch in the place of each name_forward, name_backward and name_step of `module`.

    calls and seconds add up by name. None of these functions calls another: its time would
    count twice.
    """

    def clocked(name, function):
        def instead(*arguments):
            start = time.perf_counter()
            result = function(*arguments)
            seconds[name] += time.perf_counter() - start
            calls[name] += 1
            return result

        return instead

    for name, function in inspect.getmembers(module, inspect.isfunction):
        if name.endswith(("_forward", "_backward", "_step")):
            setattr(module, name, clocked(name, function))


def training_step(sizes, B):
    """A function that takes one training step, and the model."""
    rng, model = np.random.default_rng(1), GPT(None, V=V, **sizes)
    for weight in model.parameters():
        weight.data = rng.normal(0, 0.02, weight.shape).astype(np.float32)
    optimizer = AdamW(decay_groups(model, 0.1), lr=1e-4)
    rows = rng.integers(0, V, (B, sizes["T"] + 1))

    def step():
        optimizer.zero_grad()
        cross_entropy(model(rows[:, :-1]), rows[:, 1:]).backward()
        optimizer.step()

    return step, model


def main():
    parser = argparse.ArgumentParser(prog="profile", description=__doc__)
    parser.add_argument("--model", choices=CONFIGS, default="gpt2", help="default gpt2")
    parser.add_argument("--batch-size", type=int, default=1, help="default 1")
    options = parser.parse_args()
    keep_memory()
    sizes, B = CONFIGS[options.model], options.batch_size
    if not 1 <= B <= 1000:
        fail(f"profile: got batches of {B}; expected 1 to 1,000")
    step, model = training_step(sizes, B)
    step()  # not timed: it meets the page faults
    calls, seconds = Counter(), Counter()
    clock(cpu, calls, seconds)
    start = time.perf_counter()
    step()
    whole = time.perf_counter() - start
    seconds["all else"] = whole - seconds.total()
    weights, flops = sum(w.data.size for w in model.parameters()), count_flops(model, B, sizes["T"])
    print(f"{options.model} · {weights:,} weights · {B} x {sizes['T']} tokens")
    for name, spent in seconds.most_common():
        print(f"{name:24} {calls[name] or '':5} {1000 * spent:9,.1f} ms {spent / whole:6.1%}")
    speed = f"{flops / 1e9:,.1f} GFLOP · {flops / whole / 1e9:.1f} GFLOP/s"
    print(f"a step: {1000 * whole:,.1f} ms · {speed}")


if __name__ == "__main__":
    run(main)
