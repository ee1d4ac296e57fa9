"""Exercise: the simplest optimizer in which every weight takes steps of one size."""

import pytest

from engine import optim
from engine.autograd import Tensor


def test_sign_descent():
    """Write class SignSGD(params, lr) in engine/optim.py, with zero_grad and step.

    w moves by lr against the sign of its gradient, and stays where the gradient is 0.
    """
    assert hasattr(optim, "SignSGD"), "engine/optim.py has no class SignSGD yet"
    weights = [Tensor(1.0), Tensor(1.0), Tensor(1.0)]
    optimizer = optim.SignSGD(weights, lr=0.1)
    for weight, grad in zip(weights, (500.0, -0.001, 0.0)):
        weight.grad = grad
    optimizer.step()
    assert [weight.data for weight in weights] == pytest.approx([0.9, 1.1, 1.0])
    optimizer.zero_grad()
    assert all(weight.grad is None for weight in weights)
