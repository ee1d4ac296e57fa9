"""Draws which tiles of a product are made at the same time: .venv/bin/python book/order.py

Writes book/order.svg: the tiles of y (2,048, 3,072), of which a T4 makes 160 at a time, in three
orders; dark the first that are made together, lighter the next. Bars beside them: the strips of a
and of b that the first need.
"""

import sys

from common import ROOT, Problem, run_program

sys.path.insert(0, str(ROOT))
WIDTH, HEIGHT, CELL, GAP, TOP = 840, 226, 5, 40, 34
ROWS, COLUMNS, AT_ONCE = 32, 48, 160
FIRST, NEXT, OTHER, STRIP, TEXT = "#4e79a7", "#a6c1dd", "#88888833", "#e15759", "#888"


def rectangle(x, y, width, height, colour):
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}"/>'


def tiles(left, places, colour):
    size = CELL - 1
    squares = (f"M{left + CELL * c} {TOP + CELL * r}h{size}v{size}h-{size}z" for r, c in places)
    return f'<path d="{"".join(squares)}" fill="{colour}"/>'


def panel(left, title, waves):
    """One grid of tiles, from x = left on."""
    first, following = waves[:2]
    rows, columns = (sorted({place[axis] for place in first}) for axis in (0, 1))
    lines = [f'<text x="{left}" y="14">{title}: {len(rows)} + {len(columns)} strips</text>']
    lines.append(rectangle(left, TOP, CELL * COLUMNS - 1, CELL * ROWS - 1, OTHER))
    lines += [tiles(left, first, FIRST), tiles(left, following, NEXT)]
    lines += [rectangle(left - 10, TOP + CELL * row, 5, CELL - 1, STRIP) for row in rows]
    lines += [rectangle(left + CELL * col, TOP - 10, CELL - 1, 5, STRIP) for col in columns]
    return lines


def draw():
    from kernels.order import waves

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"']
    lines.append(f' font-family="sans-serif" font-size="13" fill="{TEXT}">')
    orders = {"row by row": 1, "column by column": ROWS, "8 rows at a time": 8}
    for number, (title, group) in enumerate(orders.items()):
        left = 20 + number * (CELL * COLUMNS + GAP)
        lines += panel(left, title, waves(ROWS, COLUMNS, group, AT_ONCE))
    y = HEIGHT - 8
    for x, colour, text in (
        (20, FIRST, "160 tiles made together"),
        (220, NEXT, "the next 160"),
        (340, STRIP, "strips of a (left) and of b (top) that the first 160 need"),
    ):
        lines.append(rectangle(x, y - 10, 10, 10, colour))
        lines.append(f'<text x="{x + 16}" y="{y}">{text}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def main(words):
    if words:
        raise Problem(f"got '{' '.join(words)}'; expected nothing")
    (ROOT / "book/order.svg").write_text(draw())


if __name__ == "__main__":
    run_program(main)
