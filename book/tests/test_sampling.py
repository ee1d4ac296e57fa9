"""The parts of the picture of sampling, and one measurement of a very small model."""

import re

import pytest
import sampling

from model.gpt import GPTConfig

SPEEDS = [(64, 20.0, 4.0), (128, 20.0, 2.0), (256, 16.0, 1.0)]


def test_a_token_is_timed_with_a_cache_and_without(monkeypatch):
    config = GPTConfig(V=30, T=16, C=4, H=2, L=1)
    monkeypatch.setattr(sampling, "TOKENS", 3)
    speeds = sampling.measure(config, lengths=(5, 16), rounds=2)
    assert [T for T, *_ in speeds] == [5, 16]
    assert all(speed > 0 for _, *both in speeds for speed in both)


def test_a_line_of_the_table_is_a_length():
    head, first, *_ = sampling.table(SPEEDS).splitlines()
    assert head.split()[0] == "T" and first.split() == ["64", "20.0", "4.00", "5.0"]


@pytest.mark.parametrize("shade", sampling.SHADES)
def test_doublings_are_equally_long(shade):
    drawn = sampling.draw(SPEEDS, sampling.SHADES[shade])
    dots = [tuple(map(float, dot)) for dot in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', drawn)]
    (first, high), (second, _), (third, lower), *without = dots
    assert second - first == pytest.approx(third - second, abs=0.2) and high < lower
    gaps = [b[1] - a[1] for a, b in zip(without, without[1:])]
    assert gaps[0] == pytest.approx(gaps[1], abs=0.2) and gaps[0] > 0
    assert ">with a cache</text>" in drawn and len(drawn) < 60_000
