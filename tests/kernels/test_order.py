"""The order of the tiles, and a cache that is played."""

import numpy as np
import pytest

from kernels import device, matmul, order
from kernels.device import put
from tests.kernels.arrays import random

SHAPES = ((1, 1), (4, 4), (5, 3), (3, 7))
GROUPS = (1, 2, 3, 8)


@pytest.mark.parametrize("tiles_n, tiles_k", SHAPES)
@pytest.mark.parametrize("group", GROUPS)
def test_each_tile_has_one_number(tiles_n, tiles_k, group):
    count = tiles_n * tiles_k
    places = [order.place(tile, tiles_n, tiles_k, group) for tile in range(count)]
    assert sorted(places) == [divmod(tile, tiles_k) for tile in range(count)]


# One of them in Triton's interpreter, which takes seconds.
@pytest.mark.parametrize("group", (3,) if device.chosen == "interpret" else (1, 3))
def test_the_places_are_those_of_the_kernel(group):
    tiles_n, tiles_k = 5, 3
    a, b = random(16 * tiles_n, 16), random(16, 16 * tiles_k)
    made = np.zeros((16 * tiles_n, 16 * tiles_k), bool)
    for tile in range(tiles_n * tiles_k):
        y = put(np.full(made.shape, np.nan, np.float32))
        # So many programs make all tiles up to this one.
        launch(a, b, y, tile + 1, group)
        rows, cols = np.nonzero(~np.isnan(y.numpy()) & ~made)
        assert len(rows) == 16 * 16
        assert (rows[0] // 16, cols[0] // 16) == order.place(tile, tiles_n, tiles_k, group)
        made[rows, cols] = True


def launch(a, b, y, programs, group):
    (N, C), K = a.shape, b.shape[1]
    matmul.matmul_kernel[(programs, 1)](
        a_ptr=a, b_ptr=b, bias_ptr=None, y_ptr=y, a_row_stride=C, a_col_stride=1,
        b_row_stride=K, b_col_stride=1, N=N, C=C, K=K, C_EACH=C, HAS_BIAS=False,
        PRECISION="ieee", BLOCK_N=16, BLOCK_C=16, BLOCK_K=16, GROUP=group,
    )  # fmt: skip


def test_rows_come_together():
    by_row, by_column, together = (order.waves(4, 4, group, 4)[0] for group in (1, 4, 2))
    assert by_row == [(0, 0), (0, 1), (0, 2), (0, 3)]
    assert by_column == [(0, 0), (1, 0), (2, 0), (3, 0)]
    assert together == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_a_cache_keeps_what_was_asked_for_last():
    assert order.misses("abcabc", 3) == 3
    assert order.misses("abcabc", 2) == 6
    # b is asked for again before c comes, so a has to go.
    assert order.misses("abbcb", 2) == 3
    assert order.misses("abacb", 2) == 4


@pytest.mark.parametrize("group, panels", [(1, 5), (4, 5), (2, 4)])
def test_what_comes_from_memory(group, panels):
    times, turns = order.waves(4, 4, group, 4), 3
    # Too small for what two waves have in common, and large enough for all there is.
    assert order.misses(order.fetches(times, turns), 8) == 4 * panels * turns
    assert order.misses(order.fetches(times, turns), 24) == 8 * turns


def test_report(capsys):
    order.report(N=2048, C=512, K=1024)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "y (2,048, 1,024) = a (2,048, 512) @ b (512, 1,024)"
    assert lines[1] == "  tiles of 64 x 64: 32 x 16, 16 turns of 32"
    assert lines[2] == "  MB to fetch: 8,590 number by number · 134 by tiles · 6 each number once"
    assert lines[3] == "  T4: 160 programs at a time, 512 blocks in its L2"
    # b and what is in flight of a fit into the cache, so that each number comes once.
    assert lines[4] == "    row by row        10 +  16 strips ·     6 MB from memory"
    assert len(lines) == 11
