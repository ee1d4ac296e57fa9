"""Measures how fast GPT-2 writes, with a cache and without, and draws book/sampling-light.svg
and book/sampling-dark.svg.

    .venv/bin/python book/sampling.py

The weights are random: the time does not depend on what they are. For each length T of a text the
next token is drawn, as model/sample.py does it: with a cache of the tokens before, and by reading
all T. Both take turns, on one thread. Prints the medians. Only the time counts in which a core
works, so that other programs on a shared machine matter less.
"""

import math
import random
import statistics
import sys
import time

from common import ROOT

sys.path.insert(0, str(ROOT))
MODEL, ROUNDS, TOKENS = "gpt2", 3, 8
LENGTHS = (64, 128, 256, 512, 1024)
WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 840, 360, 60, 150, 30, 50
SHADES = {
    "light": {"paper": "#fff", "ink": "#1f2328", "grid": "#d8dee4", "cache": "#1a7f37"}
    | {"whole": "#0969da"},
    "dark": {"paper": "#0d1117", "ink": "#f0f6fc", "grid": "#30363d", "cache": "#3fb950"}
    | {"whole": "#58a6ff"},
}


def random_model(config):
    import numpy as np

    from model.gpt import GPT

    rng, model = np.random.default_rng(1), GPT(None, config)
    for weight in model.parameters():
        weight.data = rng.normal(0, 0.02, weight.shape).astype(np.float32)
    return model.eval()


def measure(config, lengths=LENGTHS, rounds=ROUNDS):
    """[(T, tokens a second with a cache, without)]"""
    from model.cache import Cache
    from model.gpt import next_token

    model, rng = random_model(config), random.Random(1)
    numbers = [rng.randrange(config.V) for _ in range(max(lengths))]

    def seconds(T, cache=None):
        start = time.process_time()
        probs = next_token(model, numbers[:T], cache=cache)
        rng.choices(range(len(probs)), weights=probs)
        return time.process_time() - start

    found = {T: ([], []) for T in lengths}
    for _ in range(rounds):
        cache = Cache(model)
        for T, (with_cache, without) in found.items():
            seconds(T - TOKENS, cache)  # not counted: it reads all that comes before
            with_cache += [seconds(t, cache) for t in range(T - TOKENS + 1, T + 1)]
            without.append(seconds(T))
    return [(T, *(1 / statistics.median(times) for times in both)) for T, both in found.items()]


def table(speeds):
    lines = ["   T  with a cache   without   times as fast"]
    for T, with_cache, without in speeds:
        lines.append(f"{T:4} {with_cache:13.1f} {without:9.2f} {with_cache / without:15.1f}")
    return "\n".join(lines)


def draw(speeds, shade):
    """Tokens a second over T; on both axes each doubling takes the same length."""
    right, bottom = WIDTH - RIGHT, HEIGHT - FOOT
    T_low, T_high = (math.log2(speeds[end][0]) for end in (0, -1))
    logs = [math.log2(speed) for _, *both in speeds for speed in both]
    low, high = math.floor(min(logs)), math.ceil(max(logs))

    def place(T, speed):
        x = LEFT + (math.log2(T) - T_low) / (T_high - T_low) * (right - LEFT)
        y = TOP + (high - math.log2(speed)) / (high - low) * (bottom - TOP)
        return round(x, 1), round(y, 1)

    style = f'font-family="sans-serif" font-size="13" fill="{shade["ink"]}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {style}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{shade["paper"]}"/>',
        f'<text x="{LEFT}" y="{TOP - 12}">tokens a second</text>',
    ]
    for power in range(low, high + 1):
        y = place(speeds[0][0], 2**power)[1]
        lines.append(f'<path d="M{LEFT} {y}H{right}" stroke="{shade["grid"]}"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{2.0**power:g}</text>')
    for T, *_ in speeds:
        x = place(T, 1)[0]
        lines.append(f'<text x="{x}" y="{bottom + 20}" text-anchor="middle">{T}</text>')
    for column, (key, name) in enumerate([("cache", "with a cache"), ("whole", "without")], 1):
        points, colour = [place(row[0], row[column]) for row in speeds], shade[key]
        path = " ".join(f"{x},{y}" for x, y in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in points]
        x, y = points[-1]
        lines.append(f'<text x="{x + 12}" y="{y + 4}" fill="{colour}">{name}</text>')
    middle = (LEFT + right) / 2
    lines.append(
        f'<text x="{middle}" y="{bottom + 40}" text-anchor="middle">tokens so far, T</text>'
    )
    return "\n".join([*lines, "</svg>"]) + "\n"


def main():
    from engine.memory import keep_memory
    from model.gpt import CONFIGS

    keep_memory()
    speeds = measure(CONFIGS[MODEL])
    print(table(speeds))
    for name, shade in SHADES.items():
        (ROOT / f"book/sampling-{name}.svg").write_text(draw(speeds, shade))


if __name__ == "__main__":
    main()
