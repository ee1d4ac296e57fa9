"""Exercise: a whole layer as one node."""

import numpy as np

from engine import ops
from engine.autograd import Tensor, parents_first
from engine.nudge import gradcheck


def test_linear():
    """Write linear(x, weight, bias) in engine/ops.py: y = x @ weight.T + bias as one node.

    x (T, C), weight (K, C), bias (K), y (T, K). Its rule returns dx, dweight and dbias.
    """
    assert hasattr(ops, "linear"), "engine/ops.py has no linear yet"
    rng = np.random.default_rng(1)
    x, weight, bias = (Tensor(rng.uniform(-1, 1, shape)) for shape in [(4, 3), (2, 3), (2,)])
    y = ops.linear(x, weight, bias)
    assert np.allclose(y.data, (x @ weight.T + bias).data)
    assert len(parents_first(y)) == 1
    assert gradcheck(ops.linear, x, weight, bias)
