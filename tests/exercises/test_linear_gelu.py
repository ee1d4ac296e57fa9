"""Exercise: a layer and its bend as one node."""

import numpy as np

from engine import ops
from engine.autograd import Tensor, parents_first
from engine.nudge import gradcheck


def test_linear_gelu():
    """Write linear_gelu(x, weight, bias) in engine/ops.py: gelu of linear, as one node.

    How many MB does a step move with it? Use it in MLP and see.
    """
    assert hasattr(ops, "linear_gelu"), "engine/ops.py has no linear_gelu yet"
    rng = np.random.default_rng(1)
    x, weight, bias = (Tensor(rng.uniform(-1, 1, shape)) for shape in [(2, 4, 3), (5, 3), (5,)])
    y = ops.linear_gelu(x, weight, bias)
    assert np.allclose(y.data, ops.linear(x, weight, bias).gelu().data)
    assert len(parents_first(y)) == 1
    assert gradcheck(ops.linear_gelu, x, weight, bias)
