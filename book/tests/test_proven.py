"""book/proven: what is trusted, what is not, and how a wrong entry is found."""

import platform

import check
import common
import pytest
import release
import replay
import training
from common import PROVEN, Problem
from proofs import Proven, versions
from small_project import Repository

TEST = "from model.rate import RATE\n\n\ndef test_rate():\n    assert RATE == 0.5\n"


def proven(versions="Python 3, numpy 2", processor="one", text=""):
    found = Proven(versions, processor)
    found.read(text)
    return found


def test_what_is_written_is_read():
    first = proven()
    first.add("k1", "step-00 tests/test_a.py", 1.25, "3 tests")
    again = proven(processor="another", text=first.text(whole=False))
    assert again.trust("k1").shown == "3 tests" and again.trust("k1", fresh=True) is None
    assert again.text(whole=True) == first.text(whole=False)
    assert again.trusted() == [again.kept["k1"]]


def test_proofs_of_other_versions_are_ignored():
    first = proven()
    first.add("k1", "step-00 tests/test_a.py", 1.0, "3 tests")
    other = proven("Python 3, numpy 3", text=first.text(whole=False))
    assert other.trust("k1") is None and other.others == 1
    assert first.key("tests", "a") != proven("Python 3, numpy 3").key("tests", "a")
    assert first.key("tests", "a") == proven(processor="another").key("tests", "a")


def test_the_versions_are_those_of_python_and_of_the_packages_that_are_named(made, project):
    toml = project.read("pyproject.toml").replace("test = []", 'test = ["pytest>=8", "nobody"]')
    found = versions(made, toml)
    system, *packages = found.split(", ")
    assert system.startswith(f"Python {platform.python_version()} on ")
    assert packages == ["nobody -", f"pytest {pytest.__version__}"]


def test_a_whole_run_drops_what_it_did_not_need():
    first = proven()
    first.add("k1", "step-00 a", 1.0, "x")
    first.add("k2", "step-00 b", 1.0, "x")
    again = proven(text=first.text(whole=False))
    again.trust("k1")
    assert "k2" in again.text(whole=False) and "k2" not in again.text(whole=True)


def test_what_failed_is_proven_no_more(tmp_path):
    first = Proven("v", "p", tmp_path / "proven")
    first.add("k1", "step-00 a", 1.0, "3 tests")
    again = Proven("v", "p", tmp_path / "proven")
    again.read(first.local.read_text())
    assert again.refute("k1") == " (book/proven says of it: 3 tests)"
    assert again.trust("k1") is None and "k1" not in again.local.read_text()
    assert again.refute("k2") == ""


@pytest.mark.parametrize("line", ["nonsense", "k | id | soon | what | shown", "versions x"])
def test_a_damaged_line_is_named(line):
    with pytest.raises(Problem, match=f"book/proven, line 1: got '{line[:5]}"):
        proven(text=line)


def test_chance_picks_one_of_ten_and_others_when_main_moves():
    picked = [check.a_tenth(head, 45) for head in "abcdefgh"]
    assert all([number // 10 for number in sorted(steps)] == [0, 1, 2, 3, 4] for steps in picked)
    assert len({frozenset(steps) for steps in picked}) == 8
    assert check.a_tenth("a", 45) == check.a_tenth("a", 45)


@pytest.fixture
def tested(project, no_setup, monkeypatch):
    """The small project with a test file in every step; no step is the first of an act."""
    monkeypatch.setattr(check.Check, "begins_act", lambda *_: False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # quicker
    rebuild(project, {"tests/test_rate.py": TEST})
    return project


def rebuild(project, *files):
    """Adds files to the steps: the first to all, the second from step-01 on, and so on."""
    chain = project.git("rev-list", "--reverse", "steps").split()
    project.git("switch", "-q", "--detach", chain[0])
    texts = {}
    for number, commit in enumerate(chain[1:]):
        project.git("checkout", "-q", commit, "--", ".")
        texts |= files[number] if number < len(files) else {}
        for path, text in texts.items():
            project.write(path, text)
        message = project.git("log", "-1", "--format=%B", commit)
        project.commit(message + texts.get("trailer", ""))
    project.git("branch", "-f", "steps")
    project.git("switch", "-q", "main")


def prove(project, tmp_path, again=(), numbers=(0, 1, 2), **options):
    scratch = tmp_path / f"scratch{len(list(tmp_path.glob('scratch*')))}"
    scratch.mkdir()
    found = check.Check(common.candidate(project.folder), scratch, project.folder, **options)
    found.again = set(again)
    results = found.prove(numbers)
    wrong = ("tests/", "make t", "Same-run")
    problems = [[p for p in r.problems if p.startswith(wrong)] for r in results]
    return found, [result.ran for result in results], problems


def test_nothing_is_run_twice_but_what_chance_picks(tested, tmp_path, monkeypatch):
    found, ran, problems = prove(tested, tmp_path)
    assert ran == [1, 0, 1] and problems == [[], [], []]  # make test whole at the last step
    assert prove(tested, tmp_path, again=[1], numbers=[0, 1])[1] == [0, 1]
    tested.write(PROVEN, found.proven.text(whole=True))
    (tested.folder / ".git/stepgrad/proven").unlink()
    assert prove(tested, tmp_path)[1] == [0, 0, 0]
    monkeypatch.setattr(check, "versions", lambda *_: "Python 4")
    assert prove(tested, tmp_path, numbers=[0])[1] == [1]


def test_a_planted_proof_is_found(tested, tmp_path):
    found, _, _ = prove(tested, tmp_path, numbers=[0])
    good = found.proven.text(whole=True)
    rebuild(tested, {"tests/test_rate.py": TEST.replace("== 0.5", "== 0.6")})
    found, _, problems = prove(tested, tmp_path, numbers=[0, 1])
    failed = "tests/test_rate.py::test_rate: "
    assert problems[0][0].startswith(failed)
    assert problems[1] == ["tests/test_rate.py fails, as it did at an earlier step"]
    wanted = found.plans(found.steps)["step-00"].keys["tests/test_rate.py"]
    line = next(line for line in good.splitlines() if line.endswith("1 tests"))
    tested.write(PROVEN, good + " | ".join([wanted, *line.split(" | ")[1:]]) + "\n")
    assert prove(tested, tmp_path, numbers=[0])[1:] == ([0], [[]])
    for options in ({"everything": True}, {"again": [0]}):
        (tested.folder / ".git/stepgrad/proven").unlink(missing_ok=True)
        _, _, ((first, second),) = prove(tested, tmp_path, numbers=[0], **options)
        assert first.startswith(failed)
        assert second == "tests/test_rate.py (book/proven says of it: 1 tests)"


PUT = """import subprocess, sys


def test_put():
    code = "from engine.backend import put; put()"
    subprocess.run([sys.executable, "-c", code], env={}, check=True)
"""
BACKEND = "from kernels.device import best\n\n\ndef put():\n    from engine import gpu\n"
DEVICES = {"engine/backend.py": BACKEND, "kernels/__init__.py": ""}
DEVICES |= {"kernels/device.py": "def best():\n    pass\n"}
DEVICES |= {"engine/__init__.py": "", "engine/gpu.py": "ONE = 1\n", "tests/test_put.py": PUT}
DEVICES |= {"tests/test_plain.py": "from engine import backend\n\n\ndef test_it():\n    backend\n"}


def test_only_what_needs_a_device_runs_again_when_its_code_changes(tested, tmp_path, monkeypatch):
    monkeypatch.setattr(check.Check, "needs_whole", lambda *_: False)
    common.add_reach(Repository.venv)
    other = {"engine/gpu.py": "TWO = 2\n", "kernels/device.py": "best = 1\n"}
    rebuild(tested, DEVICES, other, {"engine/gpu.py": "wrong\n"})
    found, ran, problems = prove(tested, tmp_path)
    made = [proof.what for proof in found.proven.made.values() if "tests/" in proof.what]
    assert made.count("step-00 tests/test_plain.py") == made.count("step-00 tests/test_put.py") == 1
    assert "step-00 tests/test_put.py needs devices" in made
    assert "step-01 tests/test_put.py" in made and "step-01 tests/test_plain.py" not in made
    assert ran == [3, 1, 1] and problems[:2] == [[], []]
    assert problems[2][0].startswith("tests/test_put.py::test_put: ")
    assert prove(tested, tmp_path, numbers=[0, 1])[1] == [0, 0]
    assert not list(tmp_path.glob("**/*.out-of-reach"))


PROGRESS = """class Progress:
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        yield from self.items

    def note(self, loss):
        pass
"""
LOSSES = """from model import STEP
from model.services.progress import Progress

loss, progress = 3.0, Progress(range(400))
for done in progress:
    progress.note(loss)
    loss -= 0.001
print(f"{STEP} · held-out {loss:.1f} · 0.1 s")
"""
SAME = {"model/services/progress.py": PROGRESS, "model/train.py": LOSSES}
SAME |= {"tests/expected.txt": "step-* · held-out 2.6 · * s\n"}
OTHER_WORDS = LOSSES.replace("loss -= 0.001", "loss = loss - 0.001")
LAST_BIT = OTHER_WORDS.replace("0.001", "(0.001 + 1e-15 * (done == 90))")


def declare(project, train):
    """step-01 and step-02 say that they train as the step before; step-01 has another text."""
    rebuild(project, SAME, {"model/train.py": train})
    chain = project.git("rev-list", "--reverse", "steps").split()
    project.git("switch", "-q", "--detach", chain[1])
    for commit in chain[2:]:
        project.git("cherry-pick", commit)
        message = project.git("log", "-1", "--format=%B")
        project.git("commit", "-q", "--amend", "-m", f"{message}\nSame-run: yes")
    project.git("branch", "-f", "steps")
    project.git("switch", "-q", "main")


def test_a_step_that_declares_the_same_run_is_proven_by_its_first_losses(tested, tmp_path):
    declare(tested, OTHER_WORDS)
    found, _, problems = prove(tested, tmp_path)
    shown = [p.what for p in found.proven.made.values() if "run" in p.what or "train" in p.what]
    assert problems == [[], [], []]
    assert sorted(shown) == ["step-00 make train", "step-01 same run", "step-02 same run"]
    losses = next(tmp_path.glob("scratch0/first-*")).read_text()
    assert losses.count("0x1.") == training.COUNT and "held-out 2.9" in losses
    again, _, _ = prove(tested, tmp_path, again=[1], numbers=[1])
    assert [p.what for p in again.proven.made.values() if "train" in p.what] == [
        "step-01 make train"
    ]


def test_a_difference_in_the_last_bit_is_found(tested, tmp_path, capsys):
    declare(tested, LAST_BIT)
    _, _, ((problem,),) = prove(tested, tmp_path, numbers=[1])
    assert problem.startswith("Same-run: not as step-00: got '9")
    assert replay.main([], tested.folder) == 2
    assert "'step-01: The middle' says Same-run: got '9" in capsys.readouterr().err


def test_a_replay_takes_the_expected_output_from_the_step_before(tested):
    declare(tested, OTHER_WORDS)
    tested.git("switch", "-q", "steps")
    tested.write("model/train.py", OTHER_WORDS.replace("3.0", "4.0"))
    tested.git("commit", "-qa", "--fixup", ":/^step-00")
    tested.git("switch", "-q", "main")
    assert replay.main([], tested.folder) == 0
    for step in ("steps~2", "steps~1", "steps"):
        assert tested.git("show", f"{step}:tests/expected.txt") == "step-* · held-out 3.6 · * s"
    assert len(list(tested.folder.glob(".git/stepgrad/train-*"))) == 1


def test_a_release_holds_what_is_proven(project):
    project.git("switch", "-q", "steps")
    project.write("model/end.py", '"""the very end"""\n')
    project.git("commit", "-qa", "--amend", "--no-edit")
    project.git("switch", "-q", "main")
    project.write(PROVEN, "in the way\n")

    def prove(merge, words, root, keep):
        keep("proofs\n")
        return 0

    release.release("proven", root=project.folder, prove=prove)
    assert project.git("show", f"main:{PROVEN}") == "proofs" == project.read(PROVEN).strip()
    assert project.git("status", "--porcelain") == ""
    assert project.git("rev-parse", "main^2") == project.git("rev-parse", "steps")


def test_what_make_was_told_here_does_not_reach_other_projects(monkeypatch, reader):
    for name in ("ARGS", "WITH", "VENV"):
        monkeypatch.setenv(name, "torch")
    assert common.run('echo "$ARGS$WITH$VENV"', ".")[1] == "\n"
    assert reader.run("sh", "-c", 'echo "$ARGS$WITH"').stdout == "\n"
