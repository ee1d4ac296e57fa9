"""worth: the held-out loss of names at each step of act I, as the table in STEPS.md has it."""

import re

from drawings.svg import Chart, Picture

RUN = """
from model.count import yardsticks
from model.data import NAMES_FILE, read_names, split
result = [word.split() for word in yardsticks(*split(read_names(NAMES_FILE))).split(" · ")]
"""
RUNS = {"layernorm": RUN}
NAME = r"\[\d\d\]\(#step-\d\d\) ([^|]+?)(?:(?:, (?!cool)|: )[^|]+)?"
ROW = rf"^\| {NAME} \| [\d,]+ \| ([\d.]+) ± ([\d.]+) \|"


def read(book):
    """[(step, mean, spread), …] of twelve starts, from the table of what each part is worth."""
    return re.findall(ROW, book, re.M)


def draw(counted, rows):
    rows = [(name, float(mean), float(spread)) for name, mean, spread in rows]
    counted = {kind: float(loss) for kind, loss in counted}
    least = min(rows, key=lambda row: row[1])
    words = (
        "The held-out loss of names, a line for each step of act I from embedding to LayerNorm: "
        "a dot at the mean of twelve starts, a bar as far as a start usually lies from it. It "
        f"falls from {rows[0][1]:.3f} to {least[1]:.3f} at {least[0]} and ends at "
        f"{rows[-1][1]:.3f}. Counting pairs reaches {counted['pairs']:.3f}, counting triples "
        f"{counted['triples']:.3f}."
    )
    high = 30
    picture = Picture(110 + high * len(rows), "Loss on names, step by step", words)
    picture.text(8, 22, "held-out loss of names, twelve starts each", bold=True)
    chart = Chart(picture, (188, 56, 462, 62 + high * len(rows)), (2.4, 2.575), (0, 1))
    chart.x_marks((2.4, 2.45, 2.5, 2.55), "{:.2f}", lines=True)
    for kind in ("pairs", "triples"):
        chart.curve([(counted[kind], 0), (counted[kind], 1)], "green", "5 4", width=2)
        chart.label(counted[kind], 1, kind, "green", "middle", (0, -8))
    for row, (name, mean, spread) in enumerate(rows):
        y = 76 + high * row
        picture.text(178, y + 5, name, "end")
        left, right = (chart.at(mean + sign * spread, 0)[0] for sign in (-1, 1))
        picture.line([(left, y), (right, y)], "blue", 3)
        picture.dot(chart.at(mean, 0)[0], y, "blue", 5)
    picture.text(325, picture.height - 10, "lower is better", "middle", "grey")
    return picture
