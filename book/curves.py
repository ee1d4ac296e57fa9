"""Draws the loss curves of act I: python3 book/curves.py

Reads what `make train` showed while it ran, or trains where this clone has kept nothing, and writes
book/curves.svg: the smoothed training loss of each step over the share of its training that is
done, and the yardsticks (held-out losses of counting) as lines across.
"""

import re
import tempfile
from pathlib import Path

from common import ROOT, Problem, chosen_chain, run_program, sandbox
from training import trained

WIDTH, HEIGHT, LEFT, TOP = 840, 420, 60, 20
HIGH, LOW = 3.4, 2.3
COLOURS = ["#888", "#b07aa1", "#9c755f", "#edc948", "#59a14f", "#76b7b2", "#4e79a7", "#e15759"]
COLOURS += ["#f28e2b", "#17becf", "#bcbd22", "#000"]
# Steps that only change how the same loss is computed share a curve: the slowest run, which has
# shown the most points, stands for them.
DRAWN = {"value": "nudge, value, backward", "embedding": "embedding"}
DRAWN |= {slug: slug for slug in ("epochs", "adam", "average", "attention", "layernorm")}


def curve(step, root=ROOT):
    """([(share done, loss), …], yardsticks) of one step's make train."""
    with tempfile.TemporaryDirectory() as scratch:
        here = sandbox(step.commit, Path(scratch) / "code", root)
        output, _, progress = trained(step.commit, here, root, files=False)
    shown = re.findall(r"step ([\d,]+) of ([\d,]+) · loss ([\d.]+)", progress)
    points = [(int(a.replace(",", "")) / int(b.replace(",", "")), float(c)) for a, b, c in shown]
    report = output.splitlines()
    if len(report) < 2:
        raise Problem(f"{step.tag} prints no yardsticks; expected a step of act I")
    return points, dict(re.findall(r"(\w+) ([\d.]+)", report[1]))


def place(share, loss):
    x = LEFT + share * (WIDTH - LEFT - 230)
    y = TOP + (HIGH - loss) / (HIGH - LOW) * (HEIGHT - 2 * TOP - 20)
    return round(x, 1), round(y, 1)


def figure(lines):
    """The whole SVG file around the lines of a drawing."""
    style = 'font-family="sans-serif" font-size="12"'
    first = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {style}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    return "\n".join([*first, *lines, "</svg>"]) + "\n"


def grid_line(left, right, y, label):
    return [
        f'<path d="M{left} {y}H{right}" stroke="#eee"/>',
        f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{label}</text>',
    ]


def polyline(points, colour):
    path = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def draw(steps):
    lines = []
    left, right = place(0, HIGH)[0], place(1, HIGH)[0]
    for loss in (2.4, 2.6, 2.8, 3.0, 3.2, 3.4):
        lines += grid_line(left, right, place(0, loss)[1], loss)
    for position, step in enumerate(steps):
        points, yardsticks = curve(step)
        colour = COLOURS[position % len(COLOURS)]
        lines.append(polyline([place(*point) for point in points], colour))
        y = TOP + 16 * position + 10
        lines.append(f'<path d="M{right + 50} {y}h16" stroke="{colour}" stroke-width="3"/>')
        lines.append(f'<text x="{right + 70}" y="{y + 4}">{DRAWN[step.slug]}</text>')
    for kind, loss in yardsticks.items():
        if LOW < float(loss) < HIGH:
            y = place(0, float(loss))[1]
            lines.append(f'<path d="M{left} {y}H{right}" stroke="#999" stroke-dasharray="4 4"/>')
            lines.append(f'<text x="{right + 4}" y="{y + 4}" fill="#666">{kind}</text>')
    x, y = place(0.5, LOW)
    lines.append(f'<text x="{x}" y="{y + 24}" text-anchor="middle">share of the training</text>')
    return figure(lines)


def main(words):
    if words not in ([], ["--candidate"]):
        raise Problem(f"got '{' '.join(words)}'; expected nothing or --candidate")
    steps = [step for step in chosen_chain(words) if step.slug in DRAWN]
    if not steps:
        raise Problem("got a chain without the steps of act I; expected its losses to draw")
    (ROOT / "book/curves.svg").write_text(draw(steps))


if __name__ == "__main__":
    run_program(main)
