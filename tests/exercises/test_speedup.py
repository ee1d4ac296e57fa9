"""Exercise: how much is gained, before anything is made faster?"""

import math

import pytest

from model.instruments import profile


def test_speedup():
    """Write speedup(seconds, factors) in model/instruments/profile.py: how many times as fast the
    step becomes.

    seconds is what main collects, {name: seconds}; factors says of some names how many times as
    fast they become, math.inf for no time at all. A name that is not in seconds raises ValueError.
    """
    assert hasattr(profile, "speedup"), "model/instruments/profile.py has no speedup yet"
    seconds = {"linear_forward": 30.0, "gelu_forward": 20.0, "all else": 50.0}
    assert profile.speedup(seconds, {}) == 1.0
    assert profile.speedup(seconds, {"linear_forward": 3}) == pytest.approx(1.25)
    assert profile.speedup(seconds, {"linear_forward": math.inf}) == pytest.approx(100 / 70)
    both = {"linear_forward": 10, "gelu_forward": 10}
    assert profile.speedup(seconds, both) == pytest.approx(100 / 55)
    assert profile.speedup(seconds, dict.fromkeys(seconds, 8)) == pytest.approx(8)
    with pytest.raises(ValueError):
        profile.speedup(seconds, {"softmax_forward": 2})
