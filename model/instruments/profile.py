"""Where the time of a training step goes: python -m model.instruments.profile --model gpt2

Weights and tokens are random: the time does not depend on what they are. Each line is a function
of engine/cpu.py; "all else" is what is done outside of it, such as the graph. FLOPs are those of
products, bytes those that a function is given and returns. at least: what would be left if this
machine were at its best, the larger of FLOPs at the speed of a product, bytes at that of a copy.
"""

import argparse
import math
import random
import time
from collections import Counter
from dataclasses import replace

import numpy as np

from engine import cpu
from engine.cost import moved, watched
from engine.memory import keep_memory
from engine.optim import decay_groups
from engine.parallel import make_worker
from model.gpt import CONFIGS, GPT
from model.services.progress import fail, run_program

V = 50_257
# The FLOPs of a call, as count_flops has them: one product forward and two back, attention twice.
FLOPS = {
    "linear_forward": lambda x, weight, *_: 2 * x.size * len(weight),
    "linear_backward": lambda dy, x, weight, *_: 4 * x.size * len(weight),
    "matmul_forward": lambda a, b, *_: 2 * a.size * b.shape[-1],
    "matmul_backward": lambda dy, a, b, *_: 4 * a.size * b.shape[-1],
    "attention_forward": lambda qkv, *_: 4 * (qkv.size // 3) * qkv.shape[1],
    "attention_backward": lambda dy, *_: 8 * dy.size * dy.shape[1],
}


class Profile:
    """Seconds, calls, bytes and FLOPs of the functions that were watched, added up by name."""

    def __init__(self):
        self.seconds, self.calls, self.moved, self.flops = (Counter() for _ in range(4))

    def watch(self, name, function, *arguments):
        start = time.perf_counter()
        results = function(*arguments)
        self.seconds[name] += time.perf_counter() - start
        self.calls[name] += 1
        self.moved[name] += moved(name, arguments, results)
        self.flops[name] += FLOPS[name](*arguments) if name in FLOPS else 0
        return results

    def least(self, name, best):
        """Seconds that its FLOPs take at best, and seconds that its bytes take."""
        return self.flops[name] / best[0], self.moved[name] / best[1]

    def line(self, name, whole, best):
        """A line of the table. whole: seconds of the step. best: FLOPs and bytes a second."""
        spent, flops, moved = self.seconds[name], self.flops[name] or math.nan, self.moved[name]
        text = f"{name:22} {self.calls[name] or '':5} {1000 * spent:10,.1f} {spent / whole:6.1%}"
        if self.moved[name]:
            text += f" {moved / 1e9:7.2f} {moved / spent / 1e9:6.1f}"
            text += f" {flops / moved:10.1f} {flops / spent / 1e9:8.1f}".replace("nan", "   ")
            text += f" {1000 * max(self.least(name, best)):10,.1f}"
        return text


def fastest(f):
    """The fewest seconds that f() takes."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return min(times)


def best_of_this_machine():
    """FLOPs a second in a large product, bytes a second in a large copy."""
    a, b = np.ones((2, 1536, 1536), np.float32)
    many = np.ones(2**25, np.float32)  # 134 MB, beyond any cache
    copy = many.copy()
    products = 2 * len(a) ** 3 / fastest(lambda: np.matmul(a, b))
    return products, 2 * many.nbytes / fastest(lambda: np.copyto(copy, many))


def training_step(config):
    """A function that takes one training step on rows, in micro-batches, and the model."""
    model = GPT(random.Random(1), config).to(np.float32)
    worker = make_worker(model, decay_groups(model, 0.1), lr=1e-4)

    def step(rows, micro_batches):
        worker.backward(rows[:, :-1], rows[:, 1:], micro_batches)
        worker.step(1.0)

    return step, model


def main():
    parser = argparse.ArgumentParser(prog="profile", description=__doc__)
    parser.add_argument("--model", choices=CONFIGS, default="gpt2", help="default gpt2")
    parser.add_argument("--batch-size", type=int, default=4, help="default 4")
    parser.add_argument(
        "--micro-batches", type=int, help="of a batch, one after another; default: rows"
    )
    options = parser.parse_args()
    keep_memory()
    config, B = replace(CONFIGS[options.model], V=V), options.batch_size
    if not 1 <= B <= 1000:
        fail(f"profile: got batches of {B}; expected 1 to 1,000")
    count = B if options.micro_batches is None else options.micro_batches
    if not 1 <= count <= B:
        fail(f"profile: got {count} micro-batches; expected 1 to {B}, the batch")
    step, model = training_step(config)
    rows = np.random.default_rng(1).integers(0, V, (B, config.T + 1))
    best = best_of_this_machine()
    step(rows[: -(-B // count)], 1)  # not timed: it meets the page faults
    profile, start = Profile(), time.perf_counter()
    with watched(cpu, profile.watch):
        step(rows, count)
    whole = time.perf_counter() - start
    profile.seconds["all else"] = whole - profile.seconds.total()
    weights, flops = sum(w.data.size for w in model.parameters()), profile.flops.total()
    print(
        f"{options.model} · {weights:,} weights · {B} x {config.T} tokens · micro-batches {count}"
    )
    products, copies = (f"{each / 1e9:.1f}" for each in best)
    print(f"at its best: {products} GFLOP/s in a product · {copies} GB/s in a copy")
    print(f"{'':22} calls         ms  share      GB   GB/s FLOP/byte  GFLOP/s   at least")
    for name, _ in profile.seconds.most_common():
        print(profile.line(name, whole, best))
    pairs = [profile.least(name, best) for name in profile.calls]
    arithmetic, memory = sum(a for a, b in pairs if a >= b), sum(b for a, b in pairs if a < b)
    shares = [f"{part / whole:.1%}" for part in (arithmetic, memory, whole - arithmetic - memory)]
    print(f"bound by arithmetic {shares[0]} · by memory {shares[1]} · beyond both {shares[2]}")
    speed = f"{flops / 1e9:,.1f} GFLOP · {flops / whole / 1e9:.1f} GFLOP/s"
    print(f"a step: {1000 * whole:,.1f} ms · {speed} · {profile.moved.total() / 1e9:.1f} GB moved")


if __name__ == "__main__":
    run_program(main)
