"""Exercise: a new operation."""

import math

import pytest

from engine.autograd import Value
from engine.nudge import nudge


def test_sine():
    """Add the method sin to Value; its slope is the cosine."""
    assert hasattr(Value, "sin"), "Value has no method sin yet"
    x = Value(0.7)
    y = x.sin()
    assert y.data == pytest.approx(math.sin(0.7))
    assert list(y.slopes) == pytest.approx(nudge(lambda weights: weights[0].sin(), [x]))
