"""The table of steps as a picture: loss, speed and lines by step; each point is a link."""

import math
from html import escape

from common import Problem
from front import held_out, losses, speeds, yardsticks

STEP, LEFT, RIGHT = 12, 72, 44  # pixels a step; margins
ROW, GAP = 150, 46


def ticks(numbers, power):
    """Round numbers around those given: powers, or tenths (of a hundred for large ones)."""
    low, high = min(numbers), max(numbers)
    if power:
        first, last = math.floor(math.log(low, power)), math.ceil(math.log(high, power))
        return [power**n for n in range(first, max(last, first + 1) + 1)]
    size = 10 ** math.floor(math.log10(high - low or 1))
    size = size / 2 if (high - low) / size < 3 else size
    first, last = math.floor(low / size), math.ceil(high / size)
    return [n * size for n in range(first, max(last, first + 1) + 1)]


class Plot:
    """One row of the chart: a value a step."""

    def __init__(self, top, marks, power, first, last):
        self.top, self.marks, self.first, self.last = top, marks, first, last
        self.scale = math.log if power else float

    def x(self, number):
        return LEFT + (number + 0.5) * STEP

    def y(self, value):
        low, high = self.scale(self.marks[0]), self.scale(self.marks[-1])
        share = (self.scale(value) - low) / (high - low)
        return round(self.top + ROW - share * ROW, 1)

    def axis(self, title):
        left, right = self.x(self.first) - STEP / 2, self.x(self.last) + STEP / 2
        lines = [f'<text x="{left}" y="{self.top - 12}" class="title">{escape(title)}</text>']
        for mark in self.marks:
            y = self.y(mark)
            label = f"{mark:,.0f}" if mark >= 100 else f"{mark:g}"
            lines.append(f'<path d="M{left} {y}H{right}" class="grid"/>')
            place = (
                f'x="{right + 5}" class="mark right"'
                if self.first
                else f'x="{left - 5}" class="mark"'
            )
            lines.append(f'<text y="{y + 4}" {place}>{label}</text>')
        return lines

    def line(self, value, words):
        """A line across: what counting reaches, or the floor."""
        y, right = self.y(value), self.x(self.last) + STEP / 2
        down = 12 if words == "floor" else -4
        return [
            f'<path d="M{self.x(self.first) - STEP / 2} {y}H{right}" class="level"/>',
            f'<text x="{right}" y="{y + down}" class="note">{escape(words)}</text>',
        ]

    def curve(self, values, steps, unit, kind):
        points = " ".join(f"{self.x(n)},{self.y(v)}" for n, v in values.items())
        lines = [f'<polyline points="{points}" class="curve {kind}"/>']
        for number, value in values.items():
            shape = f'<circle cx="{self.x(number)}" cy="{self.y(value)}" r="4" class="{kind}"/>'
            lines.append(link(steps[number], f"{said(value)} {unit}", shape))
        return lines

    def bars(self, values, steps, unit):
        lines = []
        for number, value in values.items():
            y = self.y(value)
            size = f'width="{STEP - 4}" height="{round(self.top + ROW - y, 1)}"'
            shape = f'<rect x="{self.x(number) - STEP / 2 + 2}" y="{y}" {size} class="lines"/>'
            lines.append(link(steps[number], f"{value} {unit}", shape))
        return lines


def said(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.4g}"


def link(step, words, shape):
    """A point that leads to its step; what it says is also the name of the link."""
    label = escape(f"{step}: {words}")
    return f'<a href="{step.tag}.html" aria-label="{label}"><title>{label}</title>{shape}</a>'


def chart(source):
    """The whole picture as SVG, for a page of its own width."""
    steps, drawn = source.steps, []
    top = GAP
    try:
        names, stories = losses(steps, source.expected)
    except (Problem, StopIteration, ValueError):
        found = {step.number: held_out(source.expected[step.tag]).split()[0] for step in steps}
        names, stories = {n: float(v) for n, v in found.items() if v != "-"}, {}
    for values, unit, power in ((names, "nats a letter", 0), (stories, "bits per byte", 2)):
        if values:
            report = source.expected[steps[max(values)].tag]
            ways = yardsticks(report) if "\nuniform " in report else {}
            kept = {k: ways[k] for k in ("pairs", "triples", "fours", "floor") if k in ways}
            marks = ticks([*values.values(), *kept.values()], power)
            plot = Plot(top, marks, power, min(values), max(values))
            drawn += plot.axis(f"held-out loss, {unit}")
            for kind, level in kept.items():
                drawn += plot.line(level, kind if kind == "floor" else f"counting {kind}")
            drawn += plot.curve(values, steps, unit, "loss")
    top += ROW + GAP
    try:
        rates = speeds((source.root / "book/speed.svg").read_text(), steps)
    except (Problem, OSError, IndexError, ValueError):
        rates = {}  # the picture of speeds is that of an earlier chain
    if rates:
        plot = Plot(top, ticks(rates.values(), 10), 10, 0, len(steps) - 1)
        drawn += plot.axis("letters learnt from in a second")
        drawn += plot.curve(rates, steps, "letters/s", "speed")
        top += ROW + GAP
    sizes = {step.number: source.lines_changed(step) for step in steps}
    plot = Plot(top, ticks([0, *sizes.values()], 0), 0, 0, len(steps) - 1)
    drawn += plot.axis("lines changed in engine/, model/ and kernels/")
    drawn += plot.bars(sizes, steps, "lines")
    for number in range(0, len(steps), 5):
        drawn.append(f'<text x="{plot.x(number)}" y="{top + ROW + 18}">{number:02d}</text>')
    width, height = LEFT + STEP * len(steps) + RIGHT, top + ROW + 30
    return (
        f'<div class="wide" tabindex="0" role="group" aria-label="chart of all steps">'
        f'<svg viewBox="0 0 {width} {height}" class="chart" width="{width}" height="{height}">'
        f"{''.join(drawn)}</svg></div>"
    )
