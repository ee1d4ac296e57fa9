"""What the system, a hand or a merge may do wrong to steps.py and the book's scripts: one line."""

import shutil
import subprocess
import sys
from pathlib import Path

import bench
import check
import common
import pytest
from small_project import ROOT

import steps

COMMANDS = [[], ["list"], ["go", "00"], ["next"], ["diff"], ["read"], ["solution", "01"], ["tag"]]


def one_line(done, status=2):
    """The line that a program ended with."""
    assert done.returncode == status and done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr and "\x1b" not in done.stderr
    return done.stderr


def with_solution(project):
    project.write("book/solutions/01-x.patch", "Hint 1: …\n\ndiff --git a/x b/x\n+1\n")
    project.commit("a solution")
    project.steps("go", "01")
    return project


def shell(reader, command):
    return reader.run("bash", "-c", command.replace("python3", sys.executable), check=False)


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize(
    "setting", ["PYTHONIOENCODING=ascii", "LC_ALL=POSIX PYTHONUTF8=0 PYTHONCOERCECLOCALE=0"]
)
def test_a_terminal_that_knows_ascii_alone(project, words, setting):
    with_solution(project)
    done = shell(project, f"{setting} python3 steps.py {' '.join(words)}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii() or words == ["diff"]  # git prints the bytes of the files


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
@pytest.mark.parametrize("words", COMMANDS)
def test_a_full_disk_behind_standard_output(project, words):
    with_solution(project)
    done = shell(project, f"python3 steps.py {' '.join(words)} > /dev/full")
    said = one_line(done)
    assert said == "steps.py: No space left on device\n" or said.startswith("steps.py: git diff: ")


@pytest.mark.parametrize("words", [["list"], ["diff"], ["read"]])
@pytest.mark.parametrize("end", ["| :", ">&-", "2>/dev/full", "2>&-"])
def test_a_closed_pipe_or_a_closed_output_is_no_error(project, words, end):
    with_solution(project)
    done = shell(project, f"python3 steps.py {' '.join(words)} {end}")
    assert done.stderr == ""


def test_a_long_diff_into_a_closed_pipe(project):
    project.git("switch", "-q", "steps")
    project.write("model/end.py", "x = 1\n" * 100_000)
    project.git("commit", "-qa", "--amend", "--no-edit")
    project.git("switch", "-q", "main")
    project.release("long")
    done = shell(project, "python3 steps.py diff 02 | head -1; echo ${PIPESTATUS[0]}")
    assert (done.stdout.splitlines()[-1], done.stderr) == ("0", "")


@pytest.mark.parametrize("program", ["steps.py", "environment.py"])
def test_ctrl_c_while_python_still_imports(reader, program):
    interrupt = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
    reader.write("slow/tempfile.py", interrupt)  # imported by steps.py, and by nothing before it
    done = shell(reader, f"PYTHONPATH=slow python3 {program}; echo $?")
    assert done.stdout == "130\n"
    assert "Traceback" not in done.stderr


def fake_git(reader, line):
    """A folder for PATH whose git runs `line` first; "$@" are its words."""
    path = f'#!/bin/sh\n{line}\nexec {shutil.which("git")} "$@"\n'
    reader.write("bin/git", path)
    (reader.folder / "bin/git").chmod(0o755)
    return f"PATH={reader.folder / 'bin'}:$PATH"


def test_a_clone_owned_by_someone_else(reader):
    path = fake_git(reader, "export GIT_TEST_ASSUME_DIFFERENT_OWNER=1")
    said = one_line(shell(reader, f"{path} python3 steps.py list"))
    assert "dubious ownership" in said and "git config --global --add safe.directory" in said
    assert shell(reader, f"{path} make train").returncode == 0


def test_a_clone_that_cannot_be_written(reader):
    reader.write(".git/refs/tags/step-01.lock", "")  # binds the administrator too
    for words, shown in [("list", "The start"), ("read 01", "text 1"), ("diff 01", "middle")]:
        done = shell(reader, f"python3 steps.py {words}")
        assert shown in done.stdout
        assert one_line(done, status=0).startswith("steps.py: no tags made: ")
    assert "step-01.lock" in one_line(reader.steps("tag"))
    assert reader.run("make", "train").stderr == ""


def test_a_branch_without_a_commit(reader):
    reader.git("checkout", "-q", "--orphan", "new")
    assert "expected a step: python3 steps.py go 00" in one_line(reader.steps())
    assert reader.steps("list").returncode == 0
    assert "git switch -c mine" in one_line(reader.steps("go", "00"))
    reader.git("commit", "-q", "-m", "all of it")
    assert "does not come from a step" in one_line(reader.steps("diff"))
    assert "->" not in reader.steps("list").stdout
    assert reader.steps("go", "00").stdout == "You are at step-00 · The start\n"


def own_branch(reader):
    reader.git("switch", "-q", "-c", "mine", "HEAD^2")
    reader.write("mine.txt", "mine\n")
    reader.commit("mine")
    return "mine"


def orphan(reader, *subjects):
    reader.git("switch", "-q", "--orphan", "mine")
    for subject in subjects:
        reader.git("commit", "-q", "--allow-empty", "-m", subject)
    return "mine"


MERGED = {
    "a commit on top of the last step": own_branch,
    "a workshop alone": lambda reader: orphan(reader, "workshop: mine"),
    "a step without a trailer": lambda reader: orphan(reader, "workshop: mine", "step-00: Mine"),
    "a gap": lambda reader: orphan(reader, "workshop: x", "step-01: Mine\n\nStep: mine"),
}


NUMBERS = ["2", "1", "0", "99999999999999999999"]


@pytest.mark.parametrize(
    "kind, number", [*((kind, 99) for kind in MERGED), *((next(iter(MERGED)), n) for n in NUMBERS)]
)
def test_a_merge_of_the_readers_that_is_called_a_release(reader, kind, number):
    branch = MERGED[kind](reader)
    reader.git("switch", "-q", "main")
    title = f"release {number}: all of mine"
    reader.git("merge", "-q", "--no-ff", "--allow-unrelated-histories", "-m", title, branch)
    assert reader.steps("tag").stdout == "3 steps, 3 tags set\n"
    assert "You are on top of step-02" in reader.steps().stdout
    assert reader.steps("go", "next").returncode == 2
    assert common.release_at("main", reader.folder) == (1, reader.git("rev-parse", "step-02"))
    assert common.next_number(reader.folder) == 2


def test_a_chain_of_the_readers_with_a_number_of_the_past_is_no_release(reader):
    branch = orphan(reader, "workshop: x", "step-00: Mine\n\nStep: mine")
    reader.git("switch", "-q", "main")
    title = "release 1: all of mine"
    reader.git("merge", "-q", "--no-ff", "--allow-unrelated-histories", "-m", title, branch)
    assert reader.steps("tag").stdout == "3 steps, 3 tags set\n"


@pytest.mark.parametrize(
    "words",
    [
        ["--quiet", "go", "99"],
        ["go", "99", "--quiet"],
        ["tag", "--quiet", "--quiet"],
        ["--quiet"],
        ["list", "--patch"],
        ["go", "--patch"],
        ["tag", "--release"],
        ["tag", "--release", "²"],
        ["tag", "--release", "٣"],
        ["tag", "--release", "9" * 5000],
        ["tag", "--release", "1", "2"],
        ["tag", "--release", "--", "1"],
        ["go", "²"],
        ["go", "1\n2"],
        ["read", "\x1b[31m"],
        ["\udcff"],
    ],
)
def test_words_that_mean_nothing(reader, words):
    done = reader.steps(*words)
    assert one_line(done).startswith("steps.py: ")
    assert done.stdout == "" and reader.git("status", "--porcelain") == ""


def test_the_call_of_make_is_silent_and_harmless(original, tmp_path):
    folder = shutil.copytree(
        original.folder, tmp_path / "zip", ignore=shutil.ignore_patterns(".git")
    )
    done = subprocess.run(
        [sys.executable, "steps.py", "tag", "--quiet"], cwd=folder, capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


SCRIPTS = {
    "seeds.py": [],
    "bench.py": ["act1"],
    "speed.py": [],
    "release.py": ["a summary"],
    "replay.py": [],
    "check.py": [],
}
UNKNOWN = ["99..98", "²"]


def a_clone_without_tags(reader):
    pass


def a_folder_without_history(reader):
    shutil.rmtree(reader.folder / ".git")


def a_strangers_repository(reader):
    shutil.rmtree(reader.folder / ".git")
    reader.git("init", "-q", "-b", "main")
    reader.commit("everything")


# In a clone without tags these two have their work to do, and do it.
QUICK = [script for script in SCRIPTS if script not in ("check.py", "speed.py")]


@pytest.mark.parametrize(
    "script, spoil",
    [(script, a_clone_without_tags) for script in QUICK]
    + [(script, a_folder_without_history) for script in SCRIPTS]
    + [(script, a_strangers_repository) for script in SCRIPTS],
)
def test_a_script_of_the_book_ends_in_a_line(reader, script, spoil):
    shutil.copytree(ROOT / "book", reader.folder / "book", dirs_exist_ok=True)
    spoil(reader)
    done = reader.run(sys.executable, f"book/{script}", *SCRIPTS[script], check=False)
    assert one_line(done).startswith(f"{script}: ")


@pytest.mark.parametrize("script", [*SCRIPTS, "growth.py"])
@pytest.mark.parametrize("word", UNKNOWN)
def test_a_script_of_the_book_refuses_what_it_does_not_know(reader, script, word):
    shutil.copytree(ROOT / "book", reader.folder / "book", dirs_exist_ok=True)
    reader.commit("the book")
    words = ["--quick", "a", word] if script == "release.py" else [word]
    done = reader.run(sys.executable, f"book/{script}", *words, check=False)
    assert one_line(done).startswith(f"{script}: got ")


def test_numbers_run_upwards():
    assert check.numbers_from(["01..03"], 5) == [1, 2, 3]
    assert check.numbers_from(["03..03"], 5) == [3]
    for words in (["3..1"], ["3..5"], ["²"], ["1..²"], ["0..1", "3"], ["-1"]):
        with pytest.raises(steps.Problem, match=r"expected steps such as 03 or 03\.\.05"):
            check.numbers_from(words, 5)


def test_bench_tells_what_went_wrong_in_its_thread(monkeypatch):
    def race():
        raise OSError("No space left on device")

    monkeypatch.setattr(bench, "race", race)
    monkeypatch.setattr(sys, "path", list(sys.path))
    limit = sys.getrecursionlimit()
    try:
        with pytest.raises(OSError, match="No space left"):
            bench.main(["act1", "--here"])
    finally:
        sys.setrecursionlimit(limit)
        bench.threading.stack_size(0)
