"""Exercise: half the work, a larger error."""

import pytest

from engine import nudge


def test_one_sided_nudge():
    """Write nudge_one_side(loss, weights, h) in engine/nudge.py: (loss with w + h - loss) / h.

    For w * w at w = 3 that gives 6 + h: an error of h, where both sides together have none.
    """
    assert hasattr(nudge, "nudge_one_side"), "engine/nudge.py has no nudge_one_side yet"
    (slope,) = nudge.nudge_one_side(lambda weights: weights[0] * weights[0], [3.0], h=0.01)
    assert slope == pytest.approx(6.01)
