"""Exercise: a target that is not quite sure."""

import numpy as np

from engine import ops
from engine.autograd import Tensor
from engine.nudge import gradcheck


def test_label_smoothing():
    """Write smooth_cross_entropy(logits, y, smoothing) in engine/ops.py, logits (…, V), y (…).

    The right letter counts with 1 - smoothing, and each of the V letters with smoothing / V more:
    the loss is the mean of -(1 - smoothing) * log(p[y]) - smoothing * (mean of log(p)).
    """
    assert hasattr(ops, "smooth_cross_entropy"), "engine/ops.py has no smooth_cross_entropy yet"
    logits = Tensor(np.random.default_rng(1).uniform(-1, 1, (2, 3, 4)))
    y = np.array([[1, 3, 0], [0, 2, 2]])
    plain = ops.cross_entropy(logits, y).item()
    assert abs(ops.smooth_cross_entropy(logits, y, 0.0).item() - plain) < 1e-12
    p = ops.softmax(logits).data
    even = -np.log(p).mean()
    assert abs(ops.smooth_cross_entropy(logits, y, 0.1).item() - (0.9 * plain + 0.1 * even)) < 1e-12
    assert gradcheck(lambda logits: ops.smooth_cross_entropy(logits, y, 0.1), logits)
