"""Exercise: a node of many parents."""

import pytest

from engine import ops
from engine.autograd import Tensor


def test_square_sum():
    """Write square_sum(a) in engine/ops.py: y = a[0] ** 2 + a[1] ** 2 + … as one node."""
    assert hasattr(ops, "square_sum"), "engine/ops.py has no square_sum yet"
    a = [Tensor(3.0), Tensor(-1.0), Tensor(0.5)]
    y = ops.square_sum(a)
    assert y.data == pytest.approx(10.25)
    assert list(y.parents) == a
    assert list(y.rule(1.0)) == pytest.approx([6.0, -2.0, 1.0])
