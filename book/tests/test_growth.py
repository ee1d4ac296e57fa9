"""The parts of the picture of growth, and one measurement of a very small size."""

import re

import growth
import pytest

GROWN = [("T", 1, 1.0, 1.0, 40.0), ("T", 4, 6.0, 5.0, 33.3), ("processes", 1, 1.0, 1.0, 40.0)]
GROWN += [("processes", 2, 0.5, 1.0, 80.0)]


def test_one_size_grows_at_a_time():
    for name, factor, sizes in growth.cases():
        assert sizes[name] == factor * growth.START[name]
        assert all(sizes[other] == growth.START[other] for other in sizes if other != name)


def test_a_step_is_timed_and_its_flops_are_counted(monkeypatch):
    monkeypatch.setattr(growth, "SECONDS", 0.0)
    took, flops = growth.milliseconds(B=2, T=3, C=4, L=1, processes=1)
    # The table of 65 letters, and 12 * C * C weights in the block.
    assert took > 0 and flops == 3 * (2 * 6 * (65 * 4 + 12 * 16) + 4 * 2 * 9 * 4)


def test_a_line_of_the_table_is_a_size():
    head, _, second, *_ = growth.table(GROWN).splitlines()
    assert head.split() == ["varied", "factor", "time", "FLOPs", "GFLOP/s"]
    assert second.split() == ["T", "4", "6.00", "5.00", "33"]


def test_doublings_are_equally_long():
    drawn = growth.draw(GROWN)
    dots = [tuple(map(float, dot)) for dot in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', drawn)]
    (left, start), (right, _), _, (middle, half) = dots
    assert middle - left == pytest.approx((right - left) / 2, abs=0.2)
    heights = [float(y) for y in re.findall(r'<path d="M[\d.]+ ([\d.]+)H', drawn)]
    gaps = [a - b for a, b in zip(heights, heights[1:])]
    assert max(gaps) - min(gaps) < 0.2 and half - start == pytest.approx(gaps[0], abs=0.2)
    assert ">T</text>" in drawn and ">processes</text>" in drawn
