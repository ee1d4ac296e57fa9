"""Exercise: how widely does a letter look?"""

import math

import pytest

from engine import ops


def test_entropy():
    """Write entropy(p) in engine/ops.py: the sum of -p[j] * log(p[j]), where 0 counts as 0.

    It is 0 for a look at one place, and log(n) for an equal look at n places.
    """
    assert hasattr(ops, "entropy"), "engine/ops.py has no entropy yet"
    assert ops.entropy([0.0, 1.0, 0.0]) == 0.0
    assert ops.entropy([0.25] * 4) == pytest.approx(math.log(4))
    assert ops.entropy([0.5, 0.25, 0.25]) == pytest.approx(1.5 * math.log(2))
