"""Exercise: turn round at the end of a group, in place of starting again on the left."""

from kernels import order


def test_snake():
    """Write snake(tile, tiles_n, tiles_k, group) in kernels/order.py: the place of a tile.

    Groups of rows are walked column by column as in place, but every second one from the last
    column to the first: there the strips of b are those that the cache has just been asked for.
    """
    assert hasattr(order, "snake"), "kernels/order.py has no snake yet"
    for tiles_n, tiles_k, group in ((6, 5, 2), (5, 3, 2), (1, 4, 3), (7, 1, 3)):
        places = [order.snake(tile, tiles_n, tiles_k, group) for tile in range(tiles_n * tiles_k)]
        assert sorted(places) == [divmod(tile, tiles_k) for tile in range(tiles_n * tiles_k)]
    places = [order.snake(tile, 6, 5, 2) for tile in range(30)]
    assert places[:10] == [order.place(tile, 6, 5, 2) for tile in range(10)]
    assert places[10:14] == [(2, 4), (3, 4), (2, 3), (3, 3)]
    assert places[20:24] == [(4, 0), (5, 0), (4, 1), (5, 1)]

    def misses(places):
        waves = [places[i : i + 4] for i in range(0, len(places), 4)]
        return order.misses(order.fetches(waves, turns=2), 16)

    assert misses(places) < misses([order.place(tile, 6, 5, 2) for tile in range(30)])
