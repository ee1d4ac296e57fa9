"""tiles: which numbers a program fetches for a tile of a product, and how often each is used."""

import math

from drawings.svg import Picture

RUN = """
from collections import Counter
import numpy as np
from kernels import matmul, simulate
from kernels.device import put
fetched, load = Counter(), simulate.tl.load
def counted(pointer, mask, **rest):
    fetched[pointer.array.name] += int(mask.data.sum())
    return load(pointer, mask, **rest)
simulate.tl.load = counted
N, C, K = 256, 64, 256
rng = np.random.default_rng(1)
x, weight = (rng.normal(size=(rows, C)).astype(np.float32) for rows in (N, K))
result = {"N": N, "C": C, "K": K, "fetched": {}}
for tile in (16, 32, 64, 128):
    fetched.clear()
    matmul.TILES |= {"BLOCK_N": tile, "BLOCK_K": tile}
    matmul.linear_forward(put(x), put(weight))
    result["fetched"][tile] = sum(fetched.values())
"""
RUNS = {"tiles": RUN}
CELL = 26


def matrix(picture, left, top, name, marked, corner=(0, 0)):
    """4 x 4 numbers; marked(i, j): whether the tile needs, or is, this one."""
    picture.text(left + 2 * CELL, top - 10, name, "middle", bold=True)
    for i in range(4):
        for j in range(4):
            kind, share = ("blue", 0.75) if marked(i, j) else ("grey", 0.18)
            picture.box(left + j * CELL + 1, top + i * CELL + 1, CELL - 2, CELL - 2, kind, share)


def draw(found):
    N, C, K = found["N"], found["C"], found["K"]
    single, own = 2 * N * C * K, N * C + C * K
    rows = [("one number each", single)]
    rows += [(f"tiles of {tile} × {tile}", count) for tile, count in found["fetched"].items()]
    words = (
        "Above, y = a @ b of 4 by 4 numbers. Who makes one number of y fetches a row of a and a "
        "column of b, 8 numbers, and each serves once. Who makes a tile of 2 by 2 fetches two rows "
        f"and two columns, 16 numbers, and each serves twice. Below, for y ({N}, {K}) and C = {C}, "
        f"what all programs fetch: {single:,} numbers, with tiles of 64 {rows[3][1]:,}; the "
        f"matrices hold {own:,}."
    )
    picture = Picture(606, "Tiles: a number once fetched serves many times", words)
    picture.text(8, 22, "one number of y: 8 fetched, each used once", bold=True)
    picture.text(8, 200, "a tile of y: 16 fetched, each used twice", bold=True)
    for top, tile in ((66, lambda i: i == 0), (244, lambda i: i < 2)):
        right = (lambda j: j == 3) if top == 66 else (lambda j: j > 1)
        matrix(picture, 20, top, "a", lambda i, j, tile=tile: tile(i))
        picture.text(150, top + 2 * CELL + 6, "@", "middle")
        matrix(picture, 176, top, "b", lambda i, j, right=right: right(j))
        picture.text(306, top + 2 * CELL + 6, "=", "middle")
        matrix(picture, 332, top, "y", lambda i, j, tile=tile, right=right: tile(i) and right(j))
    picture.text(8, 388, f"fetched by all programs for y ({N}, {K}), C = {C}", bold=True)
    picture.text(8, 410, "(the bars grow by one length with each doubling)", kind="grey")
    for row, (name, count) in enumerate(rows):
        y = 422 + 34 * row
        long = 168 * (0.06 + 0.94 * math.log(count / own) / math.log(single / own))
        picture.text(196, y + 20, name, "end")
        picture.box(204, y + 4, long, 22, "orange", 0.7)
        picture.text(204 + min(long, 168) + 6, y + 20, f"{count:,}", kind="orange")
    return picture
