"""Exercise: data of your own."""

import random

from model import data


def test_backwards():
    """Write class Backwards(path) in model/data.py: Names, each of them spelled from its end.

    Is a name easier to guess from its end? Train on it and compare both lines of the report.
    """
    assert hasattr(data, "Backwards"), "model/data.py has no class Backwards yet"
    plain, turned = data.Names(data.NAMES_FILE), data.Backwards(data.NAMES_FILE)
    assert turned.train == [name[::-1] for name in plain.train]
    assert turned.held_out == [name[::-1] for name in plain.held_out]
    x, _ = turned.batch(random.Random(1), 3)
    y, _ = plain.batch(random.Random(1), 3)
    assert [data.decode(row)[::-1] for row in x] == [data.decode(row) for row in y]
