"""The parts of the race of all steps that need no training."""

import re
from types import SimpleNamespace

import pytest
import speed
from common import Problem

STEPS = [
    SimpleNamespace(number=n, tag=f"step-{n:02d}", slug=slug)
    for n, slug in [(8, "average"), (9, "attention"), (15, "arrays")]
]
SPEEDS = {"step-08": 1000, "step-09": 10, "step-15": 12345}


def test_some_names_come_from_everywhere():
    names = [str(n) for n in range(1000)]
    chosen = speed.some(names)
    assert len(chosen) == speed.NAMES and chosen[0] == "0" and int(chosen[-1]) > 900
    assert speed.some(names[:50]) == names[:50]


def test_options_are_those_that_the_step_knows():
    assert speed.options("usage: train [--names NAMES]", "x.txt") == "--names x.txt"
    usage = "usage: train [--data {names,text}] [--names NAMES] [--passes PASSES]"
    assert speed.options(usage, "x.txt") == "--data names --names x.txt --passes 1"
    usage = "usage: train [--names NAMES] [--passes PASSES] [--batch-size BATCH_SIZE]"
    assert speed.options(usage, "x.txt") == "--names x.txt"
    usage = "usage: train [--names NAMES] [--steps STEPS] [--batch-size BATCH_SIZE]"
    assert speed.options(usage, "x.txt") == "--names x.txt --steps 200"


def test_the_speed_is_read_from_the_report_line():
    report = "step-14 · 4,000 weights · loss 2.4 · 15.71 ms/step · 1,461 characters/s\nuniform 3.2"
    assert speed.characters_per_second(report) == 1461
    with pytest.raises(Problem, match="got 'step-00'; expected a report line with characters/s"):
        speed.characters_per_second("step-00\n")


def test_the_table_names_the_step_before():
    first, second, third = speed.table(SPEEDS).splitlines()
    assert first.split() == ["step-08", "1,000", "characters/s"]
    assert second.endswith(" 0.01 times step-08")
    assert third.endswith(" 1234.5 times step-09")


def test_factors_of_ten_are_equally_high():
    drawn = speed.draw(STEPS, SPEEDS)
    heights = [float(y) for y in rows(drawn)]
    gaps = [a - b for a, b in zip(heights, heights[1:])]
    assert len(heights) == 5 and max(gaps) - min(gaps) < 0.2
    first, second, _ = [float(y) for y in re.findall(r'cy="([\d.]+)"', drawn)]
    assert second - first == pytest.approx(2 * gaps[0], abs=0.2)
    assert ">15 arrays</text>" in drawn and ">100,000</text>" in drawn


def rows(drawn):
    return re.findall(r'<path d="M[\d.]+ ([\d.]+)H', drawn)


def test_one_speed_can_be_drawn():
    assert speed.draw(STEPS[:1], {"step-08": 1000}).endswith("</svg>\n")


def test_a_wrong_range_is_refused(monkeypatch):
    monkeypatch.setattr(speed, "chosen_chain", lambda words: STEPS)
    with pytest.raises(Problem, match="got '99'; expected steps such as"):
        speed.main(["99"])
