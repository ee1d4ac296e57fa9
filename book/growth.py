"""Measures how the time of a training step grows, and draws book/growth.svg.

    .venv/bin/python book/growth.py

A small model is the start. One at a time its windows T, its channels C, its blocks L and the
processes that share a batch grow by factors of two. All sizes take turns, so that a busy minute
slows all of them alike. Prints the median of the time of each over that of the start in the same
round, beside it what the count of FLOPs says, and FLOPs a second.
"""

import importlib.util
import math
import multiprocessing
import os
import random
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from common import ROOT, Problem, run_program
from figure import COLOURS, HEIGHT, TOP, WIDTH, figure, grid_line, polyline

sys.path.insert(0, str(ROOT))
START = {"B": 8, "T": 64, "C": 64, "L": 2, "processes": 1}
VARIED = {"T": (1, 2, 4, 8), "C": (1, 2, 4, 8), "L": (1, 2, 4, 8), "processes": (1, 2)}
V, H, ROUNDS, SECONDS = 65, 4, 5, 0.5
LEFT, RIGHT, FOOT = 60, 120, 50


def cases():
    """[(what is varied, factor, sizes)], the start once for each of what is varied"""
    return [
        (name, factor, START | {name: factor * START[name]})
        for name, factors in VARIED.items()
        for factor in factors
    ]


def milliseconds(B, T, C, L, processes):
    """(the median time of a step, FLOPs of a step); arrays of float32."""
    import numpy as np

    from engine.memory import keep_memory
    from engine.optim import decay_groups
    from engine.parallel import make_worker
    from model.gpt import GPT, GPTConfig, count_flops

    keep_memory()
    config = GPTConfig(V=V, T=T, C=C, H=H, L=L)
    model = GPT(random.Random(1), config).to(np.float32)
    worker = make_worker(model, decay_groups(model, 0.1), 0.001, processes)
    rows = np.random.default_rng(1).integers(0, V, (B, T + 1))
    times = []
    while len(times) < 4 or sum(times) < SECONDS:
        before = time.perf_counter()
        worker.backward(rows[:, :-1], rows[:, 1:])
        worker.step(math.inf)
        times.append(time.perf_counter() - before)
    # The first step fetches its memory.
    return 1000 * statistics.median(times[1:]), count_flops(model, B, T)


def measure(rounds=ROUNDS):
    """[(what is varied, factor, time over the start's, FLOPs over the start's, GFLOP/s)]"""
    spawn = multiprocessing.get_context("spawn")
    found = {(name, factor): [] for name, factor, _ in cases()}
    flops, rates = {}, {}
    with ProcessPoolExecutor(1, spawn, max_tasks_per_child=1) as apart:
        for _ in range(rounds):
            start, fewest = apart.submit(milliseconds, **START).result()
            for name, factor, sizes in cases():
                took, flops[name, factor] = apart.submit(milliseconds, **sizes).result()
                found[name, factor].append(took / start)
                rates.setdefault((name, factor), []).append(flops[name, factor] / took / 1e6)
    return [
        (*key, statistics.median(ratios), flops[key] / fewest, statistics.median(rates[key]))
        for key, ratios in found.items()
    ]


def table(grown):
    lines = ["varied      factor   time   FLOPs  GFLOP/s"]
    for name, factor, ratio, flops, rate in grown:
        lines.append(f"{name:10} {factor:7} {ratio:6.2f} {flops:7.2f} {rate:8.0f}")
    return "\n".join(lines)


def draw(grown):
    """Time over factor; on both axes each doubling takes the same length."""
    right, bottom = WIDTH - RIGHT, HEIGHT - FOOT
    wide = math.log2(max(factor for _, factor, *_ in grown))
    ratios = [ratio for _, _, ratio, *_ in grown]
    low, high = math.floor(math.log2(min(ratios))), math.ceil(math.log2(max(ratios)))

    def place(factor, ratio):
        x = LEFT + math.log2(factor) / wide * (right - LEFT)
        y = TOP + (high - math.log2(ratio)) / (high - low) * (bottom - TOP)
        return round(x, 1), round(y, 1)

    lines = []
    for power in range(low, high + 1):
        lines += grid_line(LEFT, right, place(1, 2**power)[1], f"{2.0**power:g}")
    for power in range(round(wide) + 1):
        x = place(2**power, 1)[0]
        lines.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{2**power}</text>')
    for position, name in enumerate(dict.fromkeys(name for name, *_ in grown)):
        points = [place(factor, ratio) for n, factor, ratio, *_ in grown if n == name]
        colour = COLOURS[6 + position]
        lines.append(polyline(points, colour))
        lines += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in points]
        x, y = points[-1]
        lines.append(f'<text x="{x + 8}" y="{y + 4}" fill="{colour}">{name}</text>')
    middle = (LEFT + right) / 2
    lines.append(
        f'<text x="{middle}" y="{bottom + 38}" text-anchor="middle">times the start</text>'
    )
    lines.append(f'<text x="{LEFT + 8}" y="{TOP + 14}" fill="#666">time of a step</text>')
    return figure(lines)


def main(words):
    if words:
        raise Problem(f"got '{' '.join(words)}'; expected nothing")
    if not importlib.util.find_spec("numpy"):
        raise Problem("this Python has no numpy; expected .venv/bin/python book/growth.py")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when numpy is imported; each process has a core
    grown = measure()
    print("the start:", *(f"{name} {size}" for name, size in START.items()))
    print(table(grown))
    (ROOT / "book/growth.svg").write_text(draw(grown))


if __name__ == "__main__":
    run_program(main)
