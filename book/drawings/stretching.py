"""stretching: a column times a row, stretched; and the gradients, summed back."""

from drawings.svg import Picture

RUN = """
import numpy as np
from engine.autograd import Tensor, unbroadcast
x = Tensor([[1.0], [2.0], [3.0]])
b = Tensor([[10.0, 20.0, 30.0, 40.0]])
y = x * b
dy = np.array([[1.0, 0.0, 0.0, 0.0], [2.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
wide_dx, wide_db = y.rule(dy)
found = {"x": x.data, "b": b.data, "y": y.data, "dy": dy, "wide_dx": wide_dx, "wide_db": wide_db}
found |= {"dx": unbroadcast(wide_dx, x.shape), "db": unbroadcast(wide_db, b.shape)}
result = {name: array.astype(int).tolist() for name, array in found.items()}
"""
RUNS = {"stretching": RUN}
CELL = (40, 30)


def table(picture, left, top, rows, name, kind, faded=()):
    """A table with its name above; faded: rows or columns that are only repeated."""
    picture.text(left, top - 8, name, kind=kind, bold=True)
    for i, row in enumerate(rows):
        for j, word in enumerate(row):
            again = (i if faded == "rows" else j if faded == "columns" else 0) > 0
            place = left + j * CELL[0], top + i * CELL[1]
            picture.cells(*place, [[word]], CELL, kind, 0.06 if again else 0.22)


def draw(found):
    words = (
        f"Above, the column x = {flat(found['x'])} and the row b = {flat(found['b'])} are both "
        "repeated until they are 3 rows of 4 numbers; y is their product, number by number. Below, "
        "the gradient of y times b is summed along each row and is the gradient of x, "
        f"{flat(found['dx'])}; times x it is summed down each column and is that of b, "
        f"{flat(found['db'])}."
    )
    picture = Picture(636, "Shapes that are stretched, and gradients that are summed back", words)
    x, b = found["x"], found["b"]
    high, wide = CELL[1] * 3, CELL[0] * 4
    picture.text(8, 22, "There: what has size 1 is repeated", bold=True)
    table(picture, 8, 62, x, "x (3, 1)", "blue")
    picture.arrow((52, 62 + high / 2), (96, 62 + high / 2), "blue")
    table(picture, 102, 62, [row * 4 for row in x], "repeated", "blue", "columns")
    table(picture, 312, 62, b, "b (1, 4)", "orange")
    picture.arrow((292 + wide, 96), (292 + wide, 126), "orange")
    table(picture, 312, 132, b * 3, "repeated", "orange", "rows")
    table(picture, 102, 192, found["y"], "y = x * b (3, 4)", "green")
    picture.text(8, 322, "Back: what was repeated is summed", bold=True)
    table(picture, 8, 366, found["dy"], "dy (3, 4)", "green")
    picture.arrow((174, 366 + high / 2), (198, 366 + high / 2), "blue")
    table(picture, 206, 366, found["wide_dx"], "dy * b", "blue")
    picture.arrow((206 + wide + 4, 366 + high / 2), (418, 366 + high / 2), "blue")
    table(picture, 424, 366, found["dx"], "dx", "blue")
    picture.arrow((168, 366 + high + 6), (198, 366 + high + 28), "orange")
    table(picture, 206, 488, found["wide_db"], "dy * x", "orange")
    picture.arrow((206 + wide / 2, 488 + high + 4), (206 + wide / 2, 598), "orange")
    picture.text(168, 622, "db", "end", "orange", bold=True)
    picture.cells(206, 602, found["db"], CELL, "orange", 0.22)
    return picture


def flat(rows):
    return "(" + ", ".join(str(x) for row in rows for x in row) + ")"
