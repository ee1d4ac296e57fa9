"""Exercise: a simpler normalisation."""

import pytest

from engine import ops
from engine.autograd import Tensor
from engine.nudge import nudge


def test_rmsnorm():
    """Write rmsnorm(x, weight) in engine/ops.py: y[c] = weight[c] * x[c] / sqrt(mean of x ** 2).

    No mean is subtracted, nothing is added (Zhang and Sennrich, 2019). One node a number.
    """
    assert hasattr(ops, "rmsnorm"), "engine/ops.py has no rmsnorm yet"
    weights = [Tensor(number) for number in (0.3, -0.7, 1.1, 2.0, 1.0, 0.5)]

    def loss(w):
        ys = ops.rmsnorm(w[:3], w[3:])
        return ys[0] * 3.0 + ys[1] * ys[2]

    assert [
        y.data for y in ops.rmsnorm([Tensor(3.0), Tensor(-3.0)], [Tensor(1.0), Tensor(2.0)])
    ] == [
        1.0,
        -2.0,
    ]
    loss(weights).backward()
    assert [w.grad for w in weights] == pytest.approx(nudge(loss, weights), abs=1e-6)
