"""Exercise: a new operation."""

import math

import pytest

from engine.autograd import Tensor
from engine.nudge import nudge


def test_sine():
    """Add the method sin to Tensor; its slope is the cosine."""
    assert hasattr(Tensor, "sin"), "Tensor has no method sin yet"
    x = Tensor(0.7)
    y = x.sin()
    assert y.data == pytest.approx(math.sin(0.7))
    (measured,) = nudge(lambda weights: weights[0].sin(), [x])
    assert float(y.rule(1.0)[0]) == pytest.approx(float(measured))
