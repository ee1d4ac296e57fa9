"""Exercise: how surprised is the table by one whole name?"""

import math

import pytest

from model import count


def test_surprise_of_a_name():
    """Write name_surprise(table, name) in model/count.py: the sum of -log(p) over its pairs."""
    assert hasattr(count, "name_surprise"), "model/count.py has no name_surprise yet"
    table = [[1 / 27] * 27] * 27
    assert count.name_surprise(table, "anna") == pytest.approx(5 * math.log(27))
    assert count.name_surprise(table, "bo") == pytest.approx(3 * math.log(27))
