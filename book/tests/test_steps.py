"""steps.py in every kind of clone that a reader may have."""

import re
import shutil
import subprocess
import sys

import pytest
from small_project import Repository

TAGS = ["step-00", "step-01", "step-02"]


def test_a_clone_without_tags_gets_them_from_main(reader):
    assert reader.git("tag") == ""
    assert reader.steps("tag").stdout == "3 steps, 3 tags set\n"
    assert reader.git("tag").split() == TAGS
    assert reader.git("log", "-1", "--format=%s", "step-01") == "step-01: The middle"


def test_make_train_sets_the_tags_and_a_step_can_be_checked_out(reader):
    assert reader.run("make", "train").stdout == "step-02 · held-out 2.5 · 0.1 s\n"
    reader.git("checkout", "-q", "step-00")
    assert reader.run("make", "train").stdout == "step-00 · held-out 2.5 · 0.1 s\n"
    assert not (reader.folder / "STEPS.md").exists()


def test_any_command_sets_the_tags(reader):
    assert "You are on top of step-02" in reader.steps().stdout
    assert reader.git("tag").split() == TAGS


def test_a_step_is_found_by_its_subject_without_any_tool(reader):
    reader.git("switch", "--detach", ":/^step-01")
    assert (reader.folder / "model/middle.py").exists()
    assert not (reader.folder / "model/end.py").exists()


def test_walking(reader):
    assert reader.steps("go", "0").stdout == "You are at step-00 · The start\n"
    assert reader.steps("next").stdout == "You are at step-01 · The middle\n"
    assert "Next is    step-02 · The end" in reader.steps().stdout
    assert reader.steps("prev").stdout == "You are at step-00 · The start\n"
    end = reader.steps("prev")
    assert (end.returncode, end.stderr.count("\n")) == (2, 1)
    assert "there is no step -1; expected one from 00 to 02" in end.stderr


def test_the_short_way_leaves_steps_out(reader):
    reader.steps("go", "00")
    assert reader.steps("next", "--short").stdout == "You are at step-02 · The end\n"
    end = reader.steps("next", "--short")
    assert (end.returncode, end.stderr.count("\n")) == (2, 1)
    assert "no step of the short way comes after step-02; expected: next" in end.stderr
    marked = [line[:2] for line in reader.steps("list").stdout.splitlines()[1:]]
    assert marked == [" *", "  ", "->"]
    assert "expected a command" in reader.steps("prev", "--short").stderr


def test_list_counts_the_lines_of_each_step(reader):
    lines = reader.steps("list").stdout.splitlines()
    assert [line.split()[-4:] for line in lines[1:]] == [
        ["step-00", "8", "The", "start"],
        ["step-01", "3", "The", "middle"],
        ["step-02", "3", "The", "end"],
    ]


def test_read_and_diff_work_wherever_the_reader_stands(reader):
    reader.steps("go", "01")
    assert reader.steps("read").stdout == "## step-01 · X\n\ntext 1\n"
    assert reader.steps("read", "02").stdout == "## step-02 · X\n\ntext 2\n"
    assert '+"""middle"""' in reader.steps("diff").stdout
    assert '+"""end"""' in reader.steps("diff", "2").stdout


@pytest.mark.parametrize("words", [["go"], ["go", "x"], ["go", "99"], ["fly"], ["list", "1"]])
def test_bad_input_gets_one_line_and_exit_status_2(reader, words):
    done = reader.steps(*words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("steps.py: ") and "expected" in done.stderr


def test_a_shallow_clone_is_told_how_to_become_whole(original, tmp_path):
    reader = original.clone(tmp_path / "shallow", "--depth", "1")
    done = reader.steps("list")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "git fetch --unshallow" in done.stderr
    assert reader.run("make", "train").stdout.startswith("step-02")
    reader.git("fetch", "-q", "--unshallow")
    assert len(reader.steps("list").stdout.splitlines()) == 4


def test_a_single_branch_clone_of_a_step_is_told_to_fetch_main(original, tmp_path):
    reader = original.clone(tmp_path / "single", "--single-branch", "--branch", "steps")
    done = reader.steps("list")
    assert done.returncode == 2
    assert "git fetch origin main:refs/remotes/origin/main" in done.stderr
    reader.git("fetch", "-q", "origin", "main:refs/remotes/origin/main")
    assert reader.steps("list").returncode == 0


def test_a_fork_with_commits_of_its_own(original, tmp_path):
    fork = original.clone(tmp_path / "fork", "--bare")
    reader = fork.clone(tmp_path / "reader")
    reader.write("notes.txt", "mine\n")
    reader.commit("my notes")
    assert (
        reader.steps("tag").stdout == "3 steps, 0 tags set\n" or reader.git("tag").split() == TAGS
    )
    assert reader.steps("go", "01").returncode == 0


@pytest.mark.parametrize("inside_another", [False, True])
def test_an_unpacked_zip(original, tmp_path, inside_another):
    if inside_another:
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    shutil.copytree(original.folder, tmp_path / "zip", ignore=shutil.ignore_patterns(".git"))
    reader = Repository(tmp_path / "zip")
    assert reader.run("make", "train").stdout == "step-02 · held-out 2.5 · 0.1 s\n"
    done = reader.steps("list")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is not a git clone of this project" in done.stderr


def test_a_strangers_repository_has_no_release(tmp_path, original):
    shutil.copytree(original.folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".git"))
    reader = Repository(tmp_path / "copy")
    reader.git("init", "-q", "-b", "main")
    reader.commit("everything")
    assert "no release found" in reader.steps("list").stderr
    assert reader.run("make", "train").stdout.startswith("step-02")


def test_local_edits_are_never_lost(reader):
    reader.steps("go", "00")
    reader.write("model/start.py", "# edited\n")
    done = reader.steps("next")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    for way_out in ("model/start.py", "git switch -c mine", "git stash", "git worktree add"):
        assert way_out in done.stderr
    assert reader.read("model/start.py") == "# edited\n"


def test_untracked_files_in_the_way_are_kept(reader):
    reader.steps("go", "00")
    reader.write("model/middle.py", "# mine\n")
    done = reader.steps("next")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "model/middle.py" in done.stderr
    assert reader.read("model/middle.py") == "# mine\n"
    assert reader.git("log", "-1", "--format=%s") == "step-00: The start"


def test_a_diff_shows_the_lesson_first_and_tests_last(project):
    order = ["engine/e.py", "model/z.py", "kernels/d.py", "model/instruments/c.py"]
    order += ["model/services/b.py", "tests/model/test_a.py", "a.py"]
    project.git("switch", "-q", "steps")
    for path in order:
        project.write(path, "\n")
    project.commit("step-03: More\n\nStep: more")
    project.git("switch", "-q", "main")
    project.release("one more")
    shown = project.steps("diff", "3").stdout
    assert re.findall(r"^diff --git a/(\S+)", shown, re.M) == order


def test_a_new_release_moves_the_tags(project, tmp_path):
    reader = project.clone(tmp_path / "reader")
    reader.steps("tag")
    before = reader.git("rev-parse", "step-02")
    project.git("switch", "-q", "steps")
    project.write("model/end.py", '"""the very end"""\n')
    project.git("commit", "-qa", "--amend", "--no-edit")
    project.git("switch", "-q", "main")
    project.release("better")
    reader.git("fetch", "-q")
    assert "1 tags set" in reader.steps("tag").stdout
    assert reader.git("rev-parse", "step-02") != before
    assert reader.steps("tag", "--release", "1").returncode == 0
    assert reader.git("rev-parse", "r1/step-02") == before


def test_tags_of_a_detached_newer_release_come_from_it(project, tmp_path):
    """CI checks out a commit without a branch: the chain of that commit counts."""
    reader = project.clone(tmp_path / "reader")
    project.git("switch", "-q", "steps")
    project.write("model/more.py", "\n")
    project.commit("step-03: More\n\nStep: more")
    project.git("switch", "-q", "main")
    project.release("one more")
    reader.git("fetch", "-q", "origin")
    reader.git("update-ref", "-d", "refs/remotes/origin/main")
    reader.git("checkout", "-q", "--detach", project.git("rev-parse", "main"))
    assert reader.steps("tag").stdout == "4 steps, 4 tags set\n"


def test_solution_prints_hints_then_the_patch(project):
    project.write("book/solutions/01-x.patch", "Hint 1: think.\n\ndiff --git a/x b/x\n+1\n")
    project.commit("a solution")
    hints = project.steps("solution", "01").stdout
    assert hints.startswith("Hint 1: think.\n") and "+1" not in hints
    assert project.steps("solution", "01", "--patch").stdout == "diff --git a/x b/x\n+1\n"
    assert "has no exercise with code" in project.steps("solution", "00").stderr


def test_without_git_on_the_path(reader):
    done = reader.run("/usr/bin/env", "PATH=/nowhere", sys.executable, "steps.py", check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "git is not installed" in done.stderr
