"""The parts of the proof that stand alone."""

import check
import pytest
from common import Problem


@pytest.mark.parametrize(
    "a, b, apart",
    [("+=", "=", True), ("10", "11", True), ("ab", "ab", False), ("ab", "ba", False)],
)
def test_one_character(a, b, apart):
    assert check.one_character_apart(a, b) == apart


def test_numbers():
    assert check.numbers_from([], 3) == [0, 1, 2]
    assert check.numbers_from(["01..02"], 3) == [1, 2]
    for wrong in (["x"], ["03"], ["01", "02"]):
        with pytest.raises(Problem, match="expected steps such as 03"):
            check.numbers_from(wrong, 3)


def test_imports_are_found_wherever_they_stand(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("import os.path\nfrom model.data import x\ndef f():\n    import numpy\n")
    assert check.imported(path) == ["model", "numpy", "os"]


def test_a_bug_is_read_from_its_sentence():
    text = "In `a/b.py`, write `x + y` for `x - y`: `tests/test_x.py::test_y` fails."
    assert check.BUG.findall(text) == [("a/b.py", "x + y", "x - y", "tests/test_x.py::test_y")]
