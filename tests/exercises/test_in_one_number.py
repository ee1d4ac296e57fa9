"""Exercise: a table of ratios in one number."""

import pytest

from kernels import bench


def test_in_one_number():
    """Write in_one_number(rows, name) in kernels/bench.py: the geometric mean of row[name] over the
    rows that have it, the number whose logarithm is the mean of their logarithms. Raises ValueError
    where no row has it.
    """
    assert hasattr(bench, "in_one_number"), "there is no in_one_number yet"
    rows = [{"eager": 2.0}, {"eager": 0.5, "compiled": 3.0}, {"eager": 8.0, "compiled": 3.0}]
    assert bench.in_one_number(rows, "eager") == pytest.approx(2.0)
    assert bench.in_one_number(rows, "compiled") == pytest.approx(3.0)
    message = "twice as fast here and half as fast there is as fast"
    assert bench.in_one_number([{"eager": 2.0}, {"eager": 0.5}], "eager") == pytest.approx(1), (
        message
    )
    with pytest.raises(ValueError, match="in_one_number: got no row with later; expected one"):
        bench.in_one_number(rows, "later")
