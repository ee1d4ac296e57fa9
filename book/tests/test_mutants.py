"""Faults that are planted, found or not, in a small project."""

import sys

import mutants
import pytest
from common import Problem, read_chain

TEST = "from model.rate import RATE\n\n\ndef test_rate():\n    assert RATE == 0.5\n"
FAULTS = """# a comment
## start
model/rate.py | RATE = 0.5 | RATE = 0.6 | tests/test_rate.py
model/rate.py | learnign | learning | tests/test_rate.py

## middle
model/rate.py | 0.5 | 1 / 2 | changes nothing: the same number
"""


@pytest.fixture
def tested(project):
    project.git("switch", "-q", "steps")
    project.write("tests/test_rate.py", TEST)
    project.write("model/rate.py", "# learnign rate\nRATE = 0.5\n")
    project.git("add", "-A")
    project.git("commit", "-q", "--amend", "--no-edit")
    return project


def plant(project, tmp_path, text):
    trees = mutants.Trees(read_chain("steps", project.folder), tmp_path, project.folder)
    return mutants.plant(mutants.read(text), trees, sys.executable)


def test_what_is_found_and_what_is_not(tested, tmp_path, capsys):
    assert plant(tested, tmp_path, FAULTS) == 1
    first, test, second, _, third, why, total = capsys.readouterr().out.splitlines()
    assert first == "found     step-02 model/rate.py: RATE = 0.6 for RATE = 0.5"
    assert test.strip() == "tests/test_rate.py: assert 0.6 == 0.5"
    assert second == "NOT FOUND step-02 model/rate.py: learning for learnign"
    assert (third[:8], why.strip()) == ("harmless", "the same number")
    assert total == "1 of 2 faults found; 1 change nothing"
    assert tested.read("model/rate.py") == "# learnign rate\nRATE = 0.5\n"


def test_a_text_that_is_gone_is_looked_for_at_its_own_step(tested, tmp_path):
    tested.write("model/rate.py", "RATE = 1 / 2\n")
    tested.git("commit", "-qa", "--amend", "--no-edit")
    trees = mutants.Trees(read_chain("steps", tested.folder), tmp_path, tested.folder)
    found, _, _ = mutants.read(FAULTS)
    assert trees.step(found).tag == "step-00"
    found.old = "nowhere"
    with pytest.raises(Problem, match="got 'nowhere'; expected a text that stands once in model/"):
        trees.step(found)


def test_a_test_that_fails_anyway_is_told(tested, tmp_path, capsys):
    tested.write("tests/test_rate.py", TEST.replace("0.5", "0.7"))
    tested.git("commit", "-qa", "--amend", "--no-edit")
    assert plant(tested, tmp_path, FAULTS) == 1
    expected = "tests/test_rate.py fails at step-02 without a fault: assert 0.5 == 0.7"
    assert capsys.readouterr().out.splitlines()[0] == expected


def test_a_program_that_hangs_is_found(tested, tmp_path, monkeypatch):
    monkeypatch.setattr(mutants, "SECONDS", 2)
    hang = "## start\nmodel/rate.py | RATE = 0.5 | while True: pass | tests/test_rate.py\n"
    assert plant(tested, tmp_path, hang) == 0


@pytest.mark.parametrize("line", ["a | b | c", "a | b | b | test", "a | b | c | d | test"])
def test_a_damaged_line_is_named(line):
    with pytest.raises(Problem, match=r"mutants\.txt, line 2: got 'a \| b"):
        mutants.read(f"## start\n{line}\n")
    with pytest.raises(Problem, match="expected file"):
        mutants.read("a | b | c | test\n")


def test_texts_of_several_lines_and_of_none():
    text = "## start\na.py | b\\n    c | (nothing) | tests/test_a.py\n"
    (fault,) = mutants.read(text)
    assert (fault.old, fault.new) == ("b\n    c", "")
    assert str(fault) == "a.py: (nothing) for b\\n    c"


def test_the_list_can_be_read():
    if mutants.LIST.exists():
        assert len(mutants.read(mutants.LIST.read_text())) >= 40


def test_a_slug_that_nobody_has(tested, tmp_path):
    with pytest.raises(Problem, match="got the step middel; expected the slug"):
        plant(tested, tmp_path, FAULTS.replace("## start", "## middel"))


def test_what_is_no_test_file_is_told():
    with pytest.raises(Problem, match=r"got 'tests/a.py \(slow\)'; expected a test file, or"):
        mutants.read("## start\nx.py | 1 | 2 | tests/a.py (slow)\n")
