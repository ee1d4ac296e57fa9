"""Exercise: another bend."""

import math

import pytest

from engine.autograd import Value
from engine.nudge import nudge


def test_sigmoid():
    """Add the method sigmoid to Value: y = 1 / (1 + exp(-x)), slope y * (1 - y). One node."""
    assert hasattr(Value, "sigmoid"), "Value has no method sigmoid yet"
    x = Value(0.7)
    y = x.sigmoid()
    assert y.data == pytest.approx(1 / (1 + math.exp(-0.7)))
    assert y.parents == (x,)
    assert list(y.slopes) == pytest.approx(nudge(lambda weights: weights[0].sigmoid(), [x]))
