import math
import random
import sys

import pytest

from engine.autograd import Value
from model import puzzles
from model.data import encode
from model.puzzles import PUZZLES, answer_loss, answers, knowing_nothing

EXAMPLES = {
    "xor": {"aa": "n", "ab": "y", "ba": "y", "bb": "n"},
    "clock": {"aa": "a", "bc": "d", "ed": "c"},
    "seen": {},
    "place": {"abcdw": "a", "abcdx": "b", "abcdy": "c", "abcdz": "d"},
    "many": {},
    "bits": {"aaaaz": "a", "aaabz": "b", "abbaz": "g", "bbbbz": "p"},
}


@pytest.mark.parametrize("name", PUZZLES)
def test_the_last_letter_follows_from_the_others(name):
    puzzle, _ = PUZZLES[name]
    rng = random.Random(1)
    found = {}
    for word in (puzzle(rng) for _ in range(10_000)):
        assert found.setdefault(word[:-1], word[-1]) == word[-1]
    assert EXAMPLES[name].items() <= found.items()


def test_seen():
    words = [puzzles.seen(random.Random(seed)) for seed in range(100)]
    assert all((word[-1] == "y") == ("a" in word[:7]) for word in words)
    assert {word[-1] for word in words} == {"y", "n"}


def test_many():
    words = [puzzles.many(random.Random(seed)) for seed in range(1000)]
    assert all(word[-1] == word["wxyz".index(word[4])] for word in words)
    assert len({letter for word in words for letter in word[:4]}) == 22


def halves(letters):
    """A model that knows at each place that the next letter is the one after this in the alphabet
    or the one after that, as likely."""
    return [[Value(50.0 * (y in (x + 1, x + 2))) for y in range(27)] for x in letters]


def test_only_the_last_letter_counts():
    """.aaab and the mark: after the last a comes b or c; that aa is impossible costs nothing."""
    assert answer_loss(halves, encode("aaab")).data == pytest.approx(math.log(2))
    assert answer_loss(halves, encode("aaaz")).data == pytest.approx(50 + math.log(2))
    assert answers(halves, ["aab", "ccf"]) == [("aa", "b", "b"), ("cc", "f", "d")]


def test_knowing_nothing():
    assert knowing_nothing(["ay", "by", "cn", "dn"]) == pytest.approx(math.log(2))
    assert knowing_nothing(["ay", "by"]) == 0


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(puzzles, "PUZZLES", {"xor": (puzzles.xor, 3), "clock": (puzzles.clock, 3)})
    monkeypatch.setattr(sys, "argv", ["puzzles", *arguments])
    puzzles.main()
    return capsys.readouterr().out.splitlines()


def test_two_lines_for_each_puzzle(monkeypatch, capsys):
    lines = run(monkeypatch, capsys)
    assert [line.split(" ")[0] for line in lines] == ["xor", "", "clock", ""]
    assert " · knowing nothing 0.6" in lines[0] and lines[0].endswith(" of 200")
    assert run(monkeypatch, capsys, "clock") == lines[2:]
    assert run(monkeypatch, capsys, "clock", "--seed", "2") != lines[2:]


def test_more_layers(monkeypatch, capsys):
    assert run(monkeypatch, capsys, "xor", "--layers", "2") != run(monkeypatch, capsys, "xor")


def test_fewer_heads(monkeypatch, capsys):
    assert run(monkeypatch, capsys, "xor", "--heads", "1") != run(monkeypatch, capsys, "xor")


def test_a_puzzle_that_is_not_there(monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, capsys, "chess")
    assert ended.value.code == 2
    assert capsys.readouterr().err == "puzzles: got 'chess'; expected xor, clock\n"


@pytest.mark.parametrize(
    "words, message",
    [
        (["--layers", "0"], "got 0 layers; expected 1 to 100"),
        (["--heads", "101"], "got 101 heads; expected 1 to 100"),
        (["--heads", "3"], "Attention: got 16 channels for 3 heads; expected a multiple"),
    ],
)
def test_sizes_out_of_range(words, message, monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, capsys, *words)
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"puzzles: {message}\n"
