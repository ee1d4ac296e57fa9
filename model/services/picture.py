"""Draws the losses of a training, also one still on its way: python -m model.services.picture"""

import argparse
from pathlib import Path

from model.services.progress import fail, run_program
from model.services.watch import LOG, read_log

PICTURE = Path("runs/loss.svg")


def running_mean(losses):
    """mean[t] = 0.98 * mean[t - 1] + 0.02 * loss[t], from the first loss on."""
    means = []
    for loss in losses:
        means.append(0.98 * means[-1] + 0.02 * loss if means else loss)
    return means


def draw(lines, path=PICTURE):
    """Every loss of the log and their running mean, those on held-out text, and the floor; SVG."""
    # To import this takes half a second; only who draws should wait for it.
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams["svg.hashsalt"] = "the same names in every picture"
    first, *steps = lines
    x, losses = [line["step"] for line in steps], [line["bits_per_byte"] for line in steps]
    held_out = [(line["step"], line["held_out"]) for line in steps if "held_out" in line]
    figure = Figure(figsize=(8, 4.5))
    axes = figure.subplots()
    axes.plot(x, losses, color="#c6d5e8", linewidth=0.8)
    axes.plot(x, running_mean(losses), color="#4e79a7", label="to learn from, running mean")
    if held_out:
        axes.plot(*zip(*held_out), "o", color="#e15759", label="held out")
    if first["floor"] is not None:
        axes.axhline(first["floor"], color="#333333", linestyle="--", label="floor")
    axes.set(xlabel="step", ylabel="bits per byte", ylim=(0, None))
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def draw_or_fail(program, lines):
    try:
        draw(lines)
    except (LookupError, TypeError, ValueError, OSError) as error:
        fail(f"{program}: got {error!r}; expected the lines of a log, and {PICTURE} to write to")


def main():
    argparse.ArgumentParser(prog="picture", description=__doc__).parse_args()
    try:
        lines = read_log()
    except ValueError as error:
        fail(f"picture: {error}")
    if len(lines) < 2:
        fail(f"picture: got {len(lines)} lines in {LOG}; expected those that make train leaves")
    draw_or_fail("picture", lines)
    print(PICTURE)


if __name__ == "__main__":
    run_program(main)
