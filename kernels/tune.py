"""Finds the fastest tiles for this GPU: python -m kernels.tune

Each choice of kernels/tiles.py makes all products of linear that a training step of GPT-2 has.
What takes the least time is kept in runs/tiles-NAME.json, for each of the three kinds of product.
"""

import json
import math
import sys
from functools import partial

import numpy as np

from kernels import device, launch, matmul, tiles
from kernels.speed import fastest
from model.services.progress import run_program

# Of GPT-2: (C, K) of a product, and how often a step has it. With so many rows.
# The head's 50,257 outputs in quarters: a whole one takes 1.6 GB here, several times.
SHAPES = {(768, 2304): 12, (768, 768): 12, (768, 3072): 12, (3072, 768): 12, (768, 12565): 4}
ROWS = 8192


def products(N, C, K):
    """By name: a function that makes the product with the tiles that it is given."""
    rng = np.random.default_rng(0)
    shapes = (N, C), (K, C), (N, K)
    x, weight, dy = (device.put(rng.standard_normal(shape, np.float32)) for shape in shapes)
    return {
        "y": partial(matmul.linear_y, x, weight, None),
        "dx": partial(matmul.linear_dx, dy, weight),
        "dweight": partial(matmul.linear_dweight, dy, x),
    }


def tune(shapes, N, seconds):
    """By product the choice that takes the least time; seconds(work) is what work() takes.

    A choice with another result than the first of all is left out: compilers err, too.
    """
    total = {}
    for (C, K), times in shapes.items():
        for product, make in products(N, C, K).items():
            want = make(tiles.named(tiles.choices()[0])).numpy()
            for choice in tiles.choices():
                work = partial(make, tiles.named(choice))
                off = np.linalg.norm(work().numpy() - want) / np.linalg.norm(want)
                took = times * seconds(work) if off < 1e-4 else math.inf
                total[product, choice] = total.get((product, choice), 0.0) + took
    best = {}
    for (product, choice), took in sorted(total.items(), key=lambda item: item[1]):
        print(f"{product:8} {took * 1e3:10.3f} ms  {choice}")
        best.setdefault(product, choice)
    return best


def main():
    try:
        device.use("cuda")
    except ValueError as error:
        sys.exit(f"{error}. The tiles stay those that come first in kernels/tiles.py")
    path = tiles.file(launch.gpu())
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(tune(SHAPES, ROWS, fastest)))
    print(path)


if __name__ == "__main__":
    run_program(main)
