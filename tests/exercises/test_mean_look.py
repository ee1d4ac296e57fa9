"""Exercise: where do the heads look on average?"""

import pytest

from model.instruments import look


def test_mean_look():
    """Write mean_look(looks) in model/instruments/look.py: from looks[head][letter][seen] to
    [letter][seen].
    """
    assert hasattr(look, "mean_look"), "model/instruments/look.py has no mean_look yet"
    looks = [[[1.0], [0.5, 0.5]], [[1.0], [0.0, 1.0]]]
    mean = look.mean_look(looks)
    assert [len(row) for row in mean] == [1, 2]
    assert mean[1] == pytest.approx([0.25, 0.75])
