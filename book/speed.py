"""Measures how fast each step trains and draws book/speed.svg: python3 book/speed.py [02..14]

Every step trains on the same short list of names, in a scratch clone, on one thread and one step
at a time; with numpy, where a device can be chosen. The steps take turns, so that a busy minute
slows all of them alike. Prints the median of each step's characters/s and how many times that of
the step before it is. Without a range all steps are measured whose report line tells characters/s.
--candidate takes the branch steps.
"""

import math
import re
import statistics
import tempfile
from pathlib import Path

from check import numbers_from
from common import (
    EXPECTED,
    ROOT,
    Problem,
    chosen_chain,
    environment,
    git,
    last_line,
    run,
    run_program,
    sandbox,
)
from figure import HEIGHT, TOP, WIDTH, figure, grid_line, polyline

NAMES, ROUNDS = 120, 3
UNIT = "characters/s"
IN_REPORT = "(?:characters|tokens)/s"  # a name's tokens are its characters
LEFT, FOOT = 80, 100  # beside and below the grid, for numbers up to 1,000,000 and for names


def some(names):
    """NAMES of the names, from everywhere in the list."""
    return names[:: max(len(names) // NAMES, 1)][:NAMES]


def options(usage, path):
    """What makes a training short, as far as its --help knows these options."""
    passes = {} if "--batch-size" in usage else {"--passes": 1}
    wanted = {"--data": "names", "--names": path, "--steps": 200, "--device": "cpu", **passes}
    return " ".join(f"{name} {value}" for name, value in wanted.items() if name in usage)


def characters_per_second(output):
    match = re.search(rf"([\d,]+) {IN_REPORT}", output)
    if not match:
        raise Problem(f"got '{last_line(output)}'; expected a report line with {UNIT}")
    return int(match[1].replace(",", ""))


def measure(step, here):
    """The characters/s of one short training of `step`, which is checked out in `here`."""
    train = ".venv/bin/python -m model.train "
    names = some((here / "model/data/names.txt").read_text().split())
    (here / "some_names.txt").write_text("\n".join(names) + "\n")
    usage = run(train + "--help", here)[1]
    status, out, err = run(train + options(usage, "some_names.txt"), here)
    if status:
        raise Problem(f"{step.tag} does not train: {last_line(err)}")
    return characters_per_second(out)


def medians(steps):
    """{step's tag: characters/s}, from ROUNDS rounds in which each step has one turn."""
    found = {step.tag: [] for step in steps}
    with tempfile.TemporaryDirectory() as scratch:
        for step in steps:
            here = sandbox(step.commit, Path(scratch) / step.tag)
            (here / ".venv").symlink_to(environment(step.commit, "VENV"))
        for _ in range(ROUNDS):
            for step in steps:
                found[step.tag].append(measure(step, Path(scratch) / step.tag))
    return {tag: statistics.median(speeds) for tag, speeds in found.items()}


def table(speeds):
    """A line a step: its characters/s, and the ratio to the step before."""
    lines, before = [], None
    for tag, speed in speeds.items():
        lines.append(f"{tag} {speed:>10,.0f} {UNIT}")
        if before:
            ratio = speed / speeds[before]
            digits = 1 if ratio >= 1 else 2
            lines[-1] += f" {ratio:>8.{digits}f} times {before}"
        before = tag
    return "\n".join(lines)


def draw(steps, speeds):
    """The speeds on a scale on which every factor of ten takes the same height."""
    low = math.floor(math.log10(min(speeds.values())))
    high = max(math.ceil(math.log10(max(speeds.values()))), low + 1)
    right, bottom = WIDTH - 30, HEIGHT - FOOT

    def height(speed):
        return round(TOP + (high - math.log10(speed)) / (high - low) * (bottom - TOP), 1)

    lines = []
    for power in range(low, high + 1):
        lines += grid_line(LEFT, right, height(10**power), f"{10**power:,}")
    xs = [round(LEFT + (i + 0.5) * (right - LEFT) / len(steps), 1) for i in range(len(steps))]
    points = [(x, height(speeds[step.tag])) for x, step in zip(xs, steps)]
    lines.append(polyline(points, "#4e79a7"))
    for (x, y), step in zip(points, steps):
        lines.append(f'<circle cx="{x}" cy="{y}" r="3" fill="#4e79a7"/>')
        place = f"{round(x + 3.5, 1)} {bottom + 8}"  # upright, so that many stand beside each other
        turned = f'text-anchor="end" font-size="10" transform="translate({place}) rotate(-90)"'
        lines.append(f"<text {turned}>{step.number:02d} {step.slug}</text>")
    lines.append(f'<text x="{LEFT + 8}" y="{TOP + 14}" fill="#666">{UNIT}</text>')
    return figure(lines)


def main(words):
    steps = chosen_chain(words)
    numbers = numbers_from([word for word in words if word != "--candidate"], len(steps))
    chosen = [
        step
        for step in steps
        if step.number in numbers and re.search(IN_REPORT, git("show", f"{step.commit}:{EXPECTED}"))
    ]
    if not chosen:
        raise Problem(f"got no step whose report line tells {UNIT}; expected one such as 02")
    speeds = medians(chosen)
    print(table(speeds))
    (ROOT / "book/speed.svg").write_text(draw(chosen, speeds))


if __name__ == "__main__":
    run_program(main)
