"""Exercise: every number of one vector times every number of another."""

import numpy as np

from engine import ops
from engine.autograd import Tensor
from engine.nudge import nudge
from tests.compare import assert_close


def test_outer():
    """Write outer(a, b) in engine/ops.py: y[i, j] = a[i] * b[j], one node, a (A), b (B), y (A, B).

    Its rule: da[i] is the sum over j of dy[i, j] * b[j], and db[j] the sum over i.
    """
    assert hasattr(ops, "outer"), "engine/ops.py has no outer yet"
    a, b = Tensor([1.0, -2.0]), Tensor([3.0, 0.5, 1.0])

    def loss(weights):
        y = ops.outer(*weights)
        return y[0, 2] * y[1, 1] + y[1, 0] * 3.0

    y = ops.outer(a, b)
    assert y.data.tolist() == [[3.0, 0.5, 1.0], [-6.0, -1.0, -2.0]]
    assert [np.shape(gradient) for gradient in y.rule(np.ones((2, 3)))] == [(2,), (3,)]
    loss([a, b]).backward()
    assert_close([a.grad, b.grad], nudge(loss, [a, b]), "nudges")
