"""Exercise: let the past fade."""

import pytest

from engine import ops
from engine.autograd import Value


def test_fading_average():
    """Write fading(vectors, keep) in engine/ops.py: the last vector counts 1, the one before it
    keep, the one before that keep ** 2, …; divide by the sum of these. One node a number.
    """
    assert hasattr(ops, "fading"), "engine/ops.py has no fading yet"
    vectors = [[Value(7.0), Value(0.0)], [Value(1.0), Value(4.0)], [Value(2.0), Value(8.0)]]
    y = ops.fading(vectors, keep=0.5)
    assert [value.data for value in y] == pytest.approx([4.25 / 1.75, 10 / 1.75])
    assert list(y[0].slopes) == pytest.approx([0.25 / 1.75, 0.5 / 1.75, 1 / 1.75])
