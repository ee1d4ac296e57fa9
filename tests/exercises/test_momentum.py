"""Exercise: a step that remembers the steps before it."""

import pytest

from engine import optim
from engine.autograd import Tensor


def test_momentum():
    """Write class Momentum(params, lr, momentum) in engine/optim.py, with zero_grad and step.

    velocity = momentum * velocity + grad, starting at 0;  w = w - lr * velocity
    With the gradient 1 at every step, lr 0.1 and momentum 0.5, w moves by 0.1, then by 0.15.
    """
    assert hasattr(optim, "Momentum"), "engine/optim.py has no class Momentum yet"
    w = Tensor(1.0)
    optimizer = optim.Momentum([w], lr=0.1, momentum=0.5)
    for expected in (0.9, 0.75):
        optimizer.zero_grad()
        w.grad = 1.0
        optimizer.step()
        assert w.data == pytest.approx(expected)
