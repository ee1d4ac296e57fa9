"""Exercise: how much of a GPU works while a product is made?"""

import pytest

from kernels import tiles


def test_busy():
    """Write busy(N, K, named, at_once) in kernels/tiles.py: the share of a GPU's places taken.

    y (N, K) is made by tiles of the sizes named, so many programs at once, and all take equally
    long. The last time round there may be fewer programs than places.
    """
    assert hasattr(tiles, "busy"), "kernels/tiles.py has no busy yet"
    small, large = tiles.named((64, 32, 64, 4, 3)), tiles.named((128, 16, 128, 8, 3))
    assert tiles.busy(64, 64, small, 1) == 1.0
    assert tiles.busy(65, 64, small, 4) == 0.5
    assert tiles.busy(768, 768, small, 528) == pytest.approx(144 / 528)
    assert tiles.busy(768, 768, large, 528) == pytest.approx(36 / 528)
    assert tiles.busy(8192, 3072, small, 528) == pytest.approx(6144 / 6336)
