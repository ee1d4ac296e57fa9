"""many-writers: many programs add to one sum, by atomics and in two stages."""

from drawings.svg import Picture

RUN = """
import numpy as np
from kernels import scatter
from kernels.device import put
ROWS = 5000
parts, each = scatter.parts(ROWS)
dy = np.random.default_rng(1).normal(size=(ROWS, 3)).astype(np.float32)
two, atomic = scatter.column_sums(put(dy)).numpy(), scatter.column_sums_atomic(put(dy)).numpy()
exact = dy.astype(float).sum(0)
result = {"rows": ROWS, "parts": parts, "each": each, "two": float(two[0])}
result |= {"atomic": float(atomic[0]), "exact": exact[0]}
"""
RUNS = {"many-writers": RUN}
ARRIVALS = (2, 0, None, 1)  # an order such as may come on a GPU
ANCHORS = ("end", "end", None, "start")


def draw(found):
    rows, parts, each = found["rows"], found["parts"], found["each"]
    words = (
        f"Two ways to add up {rows:,} rows with {parts} programs of {each} rows each. Above, with "
        "atomics: each program adds its sum to the same number as soon as it is ready, in whatever "
        "order. Below, in two stages: each writes its own partial sum, and a second launch of one "
        f"program adds up the {parts}, always in the same order. In float32 the first way gave "
        f"{found['atomic']:.7g} and the second {found['two']:.7g}."
    )
    picture = Picture(626, "Many writers: atomics, and two stages", words)
    picture.text(8, 22, "atomics: one number, whoever comes first", bold=True)
    picture.text(8, 332, "two stages: each its own, then in order", bold=True)
    names = ["program 0", "program 1", "…", f"program {parts - 1}"]
    for top in (42, 352):
        for i, name in enumerate(names):
            x = 8 + 118 * i
            if name != "…":
                picture.box(x, top, 110, 52, "blue", 0.16)
                picture.text(x + 55, top + 21, name, "middle")
                left = rows - each * (parts - 1) if i == 3 else each
                picture.text(x + 55, top + 42, f"{left} rows", "middle", "grey")
            else:
                picture.text(x + 55, top + 32, name, "middle")
    for i, place in enumerate(ARRIVALS):
        if names[i] != "…":
            x = 63 + 118 * i
            picture.arrow((x, 98), (180 + 40 * i, 206), "orange")
            side = 16 if i == 3 else -16
            picture.text(x + side, 126, ("1st", "2nd", "3rd")[place], ANCHORS[i], "orange")
    picture.box(160, 212, 160, 40, "orange", 0.25)
    picture.text(240, 238, f"sum {found['atomic']:.7g}", "middle")
    picture.text(240, 278, "the order may change from run to run,", "middle", "grey")
    picture.text(240, 298, "and with it the last digits", "middle", "grey")
    for i, name in enumerate(names):
        x = 63 + 118 * i
        if name != "…":
            picture.arrow((x, 408), (x, 442), "green")
            picture.box(x - 55, 448, 110, 34, "green", 0.2)
            picture.text(x, 470, "its sum", "middle")
            picture.arrow((x, 486), (180 + 40 * i, 532), "green")
        else:
            picture.text(x, 470, "…", "middle")
    picture.box(160, 538, 160, 40, "green", 0.35)
    picture.text(240, 564, f"sum {found['two']:.7g}", "middle")
    picture.text(240, 604, f"one program adds them up: 0, 1, 2, … {parts - 1}", "middle", "grey")
    return picture
