"""The sizes of tiles that matmul may take, and those that it takes here.

No choice changes what is computed, up to the last digits: a sum may be cut at other places.
"""

import json
from functools import cache
from pathlib import Path

from kernels import launch

NAMES = ("BLOCK_N", "BLOCK_C", "BLOCK_K", "num_warps", "num_stages")
# By precision, the one to begin with first. Every one has been compiled for each GPU that may take
# it (make kernels), and fits there.
CHOICES = {
    "ieee": ((64, 32, 64, 4, 3), (32, 32, 64, 4, 3), (128, 16, 64, 8, 3), (128, 16, 128, 8, 3)),
    "tf32x3": ((128, 32, 64, 8, 3), (64, 16, 64, 4, 3)),
}
# Tensor cores of capability 9 read their numbers themselves and leave registers for more.
HOPPER = ((128, 32, 64, 4, 3),)


def choices():
    """All that may be chosen here, the one to begin with first."""
    hopper = HOPPER if launch.capability()[0] == 9 else ()
    return hopper + CHOICES[launch.precision()]


def chosen(product):
    """The tiles for "y", "dx" or "dweight", by the names that the kernel has for them."""
    return named(kept(launch.gpu()).get(product) or choices()[0])


def named(choice):
    return dict(zip(NAMES, choice))


@cache
def kept(gpu):
    """What python -m kernels.tune has found on the GPU of this name: a choice for each product.

    Nothing where it has not been run. Raises ValueError where it has chosen what is not here.
    """
    if gpu is None or not file(gpu).exists():
        return {}
    tuned = {product: tuple(tiles) for product, tiles in json.loads(file(gpu).read_text()).items()}
    for tiles in tuned.values():
        if tiles not in choices():
            expected = "tiles of kernels/tiles.py: python -m kernels.tune"
            raise ValueError(f"{file(gpu)}: got {tiles}; expected {expected}")
    return tuned


def file(gpu):
    return Path("runs", f"tiles-{gpu.replace(' ', '-').lower()}.json")
