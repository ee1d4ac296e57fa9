"""A reader's work is never lost: edits, commits and tags outlive whatever the book says to type."""

import re
import shutil

import pytest
from small_project import ROOT, Repository

MARK = "# edited by a reader"
OLD = "git checkout -q ':/^step-77'"  # where nothing matches, git takes this for a path


def printed_commands():
    """The git and steps.py commands in README.md, STEPS.md and the words of steps.py."""
    texts = [(ROOT / name).read_text() for name in ("README.md", "STEPS.md", "steps.py")]
    start = r"(?:^\$ |^    |`|\()"
    found = re.findall(rf"{start}((?:git|python3 steps\.py) [^`\n]+)", "\n".join(texts), re.M)
    found += re.findall(r"(?:run|first:|; ) ?(git [a-z][^\"]+)", texts[2])
    commands = set()
    for command in found:
        # a column of explanations, the sentence around it, and what steps.py fills in
        command = re.split(r" {2,}| makes |\) |; |\"|, ", command)[0].rstrip(").")
        command = re.sub(r"\{step\.tag\}", "step-02", command)
        command = re.sub(r"\{[^}]+\}", "mine", command)
        commands.add(re.sub(r"step-\d\d", "step-02", command))
    commands.add("python3 steps.py solution 00 --patch | git apply")
    return sorted(c.strip() for c in commands if "git push" not in c and "git clone" not in c)


def test_the_commands_are_found():
    commands = printed_commands()
    for command in (
        "git checkout -q step-02",
        "git checkout step-02",
        "git switch --detach ':/^step-02'",
        "git switch main",
        "git stash",
        "git switch -c mine && git commit -a",
        "git worktree add ../step-02 step-02",
        "git branch mine",
        "git fetch --unshallow",
        "git tag -d mine",
        "python3 steps.py go 00",
        "python3 steps.py tag",
    ):
        assert command in commands


def clone_without_tags(original, folder):
    return original.clone(folder / "reader", "--single-branch", "--branch", "main")


def cut_off_clone(original, folder):
    return original.clone(folder / "reader", "--depth", "1")


def zip_in_another_repository(original, folder):
    outer = Repository(folder)
    ignored = shutil.ignore_patterns(".git")
    shutil.copytree(original.folder, folder / "reader", ignore=ignored, dirs_exist_ok=True)
    outer.git("init", "-q", "-b", "main")
    outer.write("notes.txt", "mine\n")
    outer.commit("everything")
    outer.write("notes.txt", f"{MARK}\n")
    return Repository(folder / "reader")


KINDS = [clone_without_tags, cut_off_clone, zip_in_another_repository]


def lost(reader, command):
    """The edited files whose edits neither the folder nor a commit nor the stash holds."""
    edited = ["model/start.py", "README.md", "../notes.txt"]
    edited = [name for name in edited if (reader.folder / name).exists()]
    for name in edited:
        reader.write(name, f"{MARK} {name}\n")
    reader.run("bash", "-c", f"export GIT_EDITOR=true; {command} < /dev/null", check=False)
    return [name for name in edited if not kept(reader, name)]


def kept(reader, name):
    path, text = reader.folder / name, f"{MARK} {name}"
    if path.exists() and text in path.read_text():
        return True
    commits = reader.git("rev-list", "--all", "HEAD").split()
    found = reader.run("git", "grep", "-q", text, *commits, "--", ":/", check=False)
    return found.returncode == 0


def state(folder):
    """What a command may have changed besides the edits: refs, and where HEAD points."""
    return [
        (path, path.read_text())
        for pattern in ("HEAD", "refs/**/*", "worktrees/*/HEAD")
        for path in sorted((folder / ".git").glob(pattern))
        if path.is_file()
    ]


@pytest.mark.parametrize("make", KINDS)
def test_edits_outlive_every_command_of_the_book(original, tmp_path, make):
    (tmp_path / "first").mkdir()
    reader = make(original, tmp_path / "first")
    place, used = tmp_path / "place", True
    for command in printed_commands():
        mistyped = re.sub(r"step-02", "step-77", re.sub(r"(go|diff|read) \d\d", r"\1 77", command))
        for typed in dict.fromkeys([command, mistyped]):
            if used:
                shutil.rmtree(tmp_path / "step-02", ignore_errors=True)
                shutil.rmtree(place, ignore_errors=True)
                shutil.copytree(tmp_path / "first", place, symlinks=True)
            there = Repository(place / reader.folder.name)
            around = place if make is zip_in_another_repository else there.folder
            before = state(around)
            assert lost(there, typed) == [], typed
            used = state(around) != before


@pytest.mark.parametrize("make", KINDS[1:])
def test_this_would_notice_a_command_that_discards_edits(original, tmp_path, make):
    assert "model/start.py" in lost(make(original, tmp_path), OLD)


def test_no_text_checks_out_what_git_may_take_for_a_path():
    ours = [ROOT / name for name in ("README.md", "STEPS.md", "steps.py", "Makefile")]
    ours += [path for path in (ROOT / "book").rglob("*") if path.suffix in (".py", ".patch")]
    dangerous = re.compile(r"git checkout [^\n`]*:/")
    found = [path.name for path in ours if dangerous.search(path.read_text())]
    assert found == ["test_kept.py"]  # OLD, above


def commit_here(reader, name):
    reader.write(f"{name}.txt", f"{name}\n")
    reader.commit(name)
    return reader.git("rev-parse", "HEAD")


@pytest.mark.parametrize("words", [["next"], ["prev"], ["go", "2"]])
def test_commits_on_no_branch_are_not_left_behind(reader, words):
    reader.steps("go", "01")
    mine = commit_here(reader, "mine")
    done = reader.steps(*words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "no branch holds what you committed here (1)" in done.stderr
    assert reader.git("rev-parse", "HEAD") == mine
    command = done.stderr.strip().rpartition(": ")[2]
    reader.run("bash", "-c", command)
    assert reader.steps(*words).returncode == 0
    assert reader.git("branch", "--contains", mine) == "mine"
    commit_here(reader, "again")
    assert reader.steps("go", "0").stderr.strip().endswith("git branch mine-too")


def test_commits_on_a_branch_are_no_hindrance(reader):
    reader.steps("go", "01")
    reader.git("switch", "-q", "-c", "exercise")
    commit_here(reader, "mine")
    assert reader.steps("next").stdout == "You are at step-02 · The end\n"


def test_a_readers_own_tags_stay(reader):
    reader.steps("tag")
    for tag, commit in [("step-50", "main"), ("act-9", "step-00"), ("mine", "step-01")]:
        reader.git("tag", tag, commit)
    before = reader.git("show-ref", "--tags")
    done = reader.steps("list")
    assert (done.returncode, done.stderr) == (0, "")
    reader.steps("tag", "--quiet")
    assert reader.git("show-ref", "--tags") == before


def test_a_step_tag_of_the_readers_own_stays_and_is_told(reader):
    mine = commit_here(reader, "mine")
    reader.git("tag", "step-02", mine)
    reader.git("tag", "-a", "-m", "where I stopped", "step-01", "HEAD~1^2~1")
    annotated = reader.git("rev-parse", "step-01")
    done = reader.steps("list")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert "your own step-02 stays; git tag -d step-02 makes room" in done.stderr
    assert reader.git("rev-parse", "step-01", "step-02").split() == [annotated, mine]
    assert reader.git("tag").split() == ["step-00", "step-01", "step-02"]
    quiet = reader.steps("tag", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert reader.git("rev-parse", "step-02") == mine
    reader.git("tag", "-d", "step-02")
    assert reader.steps("tag").stdout == "3 steps, 1 tags set\n"


def shorter_release(project):
    """A second release, with the last two steps in one."""
    project.git("switch", "-q", "steps")
    project.git("reset", "-q", "--soft", "HEAD~2")
    project.write("model/__init__.py", 'STEP = "step-01"\n')
    project.commit("step-01: The rest\n\nStep: rest")
    project.git("switch", "-q", "main")
    project.release("shorter")


def test_tags_that_an_earlier_release_explains_go_with_it(project, tmp_path):
    reader = project.clone(tmp_path / "reader")
    reader.steps("tag")
    shorter_release(project)
    reader.git("fetch", "-q")
    assert reader.steps("tag").stdout == "2 steps, 2 tags set\n"
    assert reader.git("tag").split() == ["step-00", "step-01"]


def test_a_tag_of_the_readers_own_outlives_a_release(project, tmp_path):
    reader = project.clone(tmp_path / "reader")
    reader.steps("tag")
    reader.git("tag", "-f", "step-01", "step-00")
    reader.git("tag", "-f", "step-02", "main")
    shorter_release(project)
    reader.git("fetch", "-q")
    before = reader.git("show-ref", "--tags")
    assert "your own step-01 stays" in reader.steps().stderr
    assert reader.git("show-ref", "--tags") == before


def test_fixed_tags_of_a_release_leave_the_readers_alone(reader):
    reader.git("tag", "r1/step-01", "main")
    done = reader.steps("tag", "--release", "1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "your own r1/step-01 stays" in done.stderr
    assert reader.git("rev-parse", "r1/step-01") == reader.git("rev-parse", "main")


def test_an_unpacked_zip_leaves_the_repository_around_it_alone(original, tmp_path):
    reader = zip_in_another_repository(original, tmp_path)
    shutil.copytree(ROOT / "book", reader.folder / "book", dirs_exist_ok=True)
    for script in ("release.py", "replay.py", "speed.py"):
        done = reader.run(
            "python3", f"book/{script}", *["text"][: script == "release.py"], check=False
        )
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "is not a git clone of this project" in done.stderr
    assert not (tmp_path / ".git/stepgrad").exists()
