"""Exercise: leave out a whole part of the model, for some of the texts."""

import numpy as np

from engine import ops
from engine.autograd import Tensor
from engine.nudge import gradcheck


def test_whole_part():
    """Write drop_part(x, p, noise) in engine/ops.py: x is (B, T, C), and each of the B texts
    becomes 0 as a whole with probability p; the others are multiplied by 1 / (1 - p).

    A Block that leaves out what a part adds has one part fewer for that text.
    """
    assert hasattr(ops, "drop_part"), "engine/ops.py has no drop_part yet"
    y = ops.drop_part(Tensor(np.ones((20_000, 2, 3))), 0.25, np.random.default_rng(1)).data
    assert y.shape == (20_000, 2, 3) and set(y.ravel()) == {0.0, 1 / 0.75}
    assert (y == y[:, :1, :1]).all()
    assert abs((y[:, 0, 0] == 0).mean() - 0.25) < 0.02
    x = Tensor(np.random.default_rng(3).uniform(-1, 1, (6, 2, 3)))
    assert gradcheck(lambda x: ops.drop_part(x, 0.5, np.random.default_rng(1)), x)
