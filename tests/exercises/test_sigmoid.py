"""Exercise: another bend."""

import math

import pytest

from engine.autograd import Tensor
from engine.nudge import nudge


def test_sigmoid():
    """Add the method sigmoid to Tensor: y = 1 / (1 + exp(-x)), slope y * (1 - y). One node."""
    assert hasattr(Tensor, "sigmoid"), "Tensor has no method sigmoid yet"
    x = Tensor(0.7)
    y = x.sigmoid()
    assert y.data == pytest.approx(1 / (1 + math.exp(-0.7)))
    assert y.parents == (x,)
    (measured,) = nudge(lambda weights: weights[0].sigmoid(), [x])
    assert float(y.rule(1.0)[0]) == pytest.approx(float(measured))
