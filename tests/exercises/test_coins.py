"""Exercise: the floor of rules of your own."""

import math

import pytest

from model import stories


def test_coins():
    """Write COINS in model/stories.py: parse(rules), of stories that are one of "heads." and
    "tails." with odds of 2 to 1 for heads.

    Its entropy is log(3) - 2/3 * log(2) nats a story of 8 characters, blank line included.
    """
    assert hasattr(stories, "COINS"), "model/stories.py has no COINS yet"
    entropy, length, _ = stories.measure(stories.COINS)
    assert entropy == pytest.approx(math.log(3) - 2 / 3 * math.log(2))
    assert length == pytest.approx(8)
