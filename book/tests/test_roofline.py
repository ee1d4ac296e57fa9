"""The parts of the picture of the roofline."""

import re

import pytest
import roofline

from kernels.roofline import GPUS, floor

COSTS = {"add": (12, 1), "gelu_forward": (8, 10), "attention_forward": (1, 128), "else": (1, 1)}


def test_each_doubling_is_equally_long():
    places = [roofline.place(2.0**power, 2.0**power) for power in range(5)]
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(places, places[1:])]
    assert all(step == pytest.approx(steps[0], abs=0.2) for step in steps)
    assert steps[0][0] > 0 > steps[0][1]


def test_a_roof_rises_to_its_ridge():
    points = [tuple(map(float, point.split(","))) for point in roofline.roof(1e12, 8e12).split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert points[0][1] > points[1][1] == points[2][1] and points[1] == roofline.place(8, 8)


@pytest.mark.parametrize("shade", roofline.SHADES)
def test_dots_lie_on_the_roofs(shade):
    drawn = roofline.draw(GPUS, COSTS, floor, roofline.SHADES[shade])
    dots = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', drawn)
    assert len(dots) == 3 * len(GPUS)
    T4, x = GPUS[0], roofline.place(10 / 8, 1)[0]
    y = roofline.place(10 / 8, T4.bandwidth * 10 / 8 / 1e12)[1]
    assert dots[1] == (str(x), str(y))
    assert ">attention</text>" in drawn and ">H200</text>" in drawn and len(drawn) < 20_000
