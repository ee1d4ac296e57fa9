"""Releases and replays: what moves, what stays, what is refused."""

import pytest
import release
import replay
from small_project import Repository

import steps

pytestmark = pytest.mark.usefixtures("no_setup")


def mend(project, path, text, step):
    project.git("switch", "-q", "steps")
    project.write(path, text)
    project.git("commit", "-qa", "--fixup", f":/^{step}")
    project.git("switch", "-q", "main")


def test_main_holds_the_code_of_the_last_step_and_the_book(project):
    assert project.git("rev-parse", "main:model") == project.git("rev-parse", "steps:model")
    assert project.read("README.md") == "readme\nmore\n"
    assert project.git("log", "-1", "--format=%s %P") == (
        f"release 1: the first {project.git('rev-parse', 'main^1', 'steps').replace(chr(10), ' ')}"
    )


def test_a_mended_comment_is_replayed_and_changes_nothing_else(project, capsys):
    assert replay.main([], project.folder) == 0
    capsys.readouterr()
    trained = sorted(project.folder.glob(".git/stepgrad/train-*"))
    before = project.git("rev-parse", "steps")
    mend(project, "model/rate.py", "# learning rate\nRATE = 0.5\n", "step-00")
    assert replay.main([], project.folder) == 0
    assert sorted(project.folder.glob(".git/stepgrad/train-*")) == trained != []
    shown = capsys.readouterr().out
    assert "+# learning rate" in shown.replace("++", "+") and "= 2:" in shown and "= 3:" in shown
    assert project.git("diff", "--stat", before, "steps").endswith("(+), 1 deletion(-)")
    for step in ("steps~2", "steps~1", "steps"):
        assert project.git("show", f"{step}:model/rate.py") == "# learning rate\nRATE = 0.5"
    project.release("a comment")
    body = project.git("log", "-1", "--format=%B")
    assert "release 2: a comment" in body and "! 1:" in body and "= 3:" in body


def test_a_mend_that_changes_numbers_makes_every_expected_output_anew(project):
    mend(project, "model/rate.py", "# learnign rate\nRATE = 0.7\n", "step-00")
    assert replay.main([], project.folder) == 0
    for step in ("steps~2", "steps~1", "steps"):
        assert project.git("show", f"{step}:tests/expected.txt") == "step-* · held-out 2.3 · * s"
    project.release("a rate")
    project.git("switch", "-q", "--detach", "steps~1")
    assert project.run("make", "train").stdout == "step-01 · held-out 2.3 · 0.1 s\n"


def test_a_replay_without_a_mend_changes_nothing(project):
    before = project.git("rev-parse", "steps")
    assert replay.main([], project.folder) == 0
    assert project.git("rev-parse", "steps") == before


def test_an_inserted_step_numbers_the_later_ones_anew(project):
    project.git("switch", "-q", "--detach", "steps~1")
    project.write("model/extra.py", '"""extra"""\n')
    project.write("model/__init__.py", 'STEP = "step-02"\n')
    project.commit("step-02: The extra\n\nBody.\n\nStep: extra")
    project.git("cherry-pick", "steps")
    project.git("branch", "-f", "steps")
    project.git("switch", "-q", "main")
    assert replay.main([], project.folder) == 0
    chain = steps.read_chain("steps", project.folder)
    assert [str(step) for step in chain][2:] == ["step-02 · The extra", "step-03 · The end"]
    assert project.git("show", "steps:model/__init__.py") == 'STEP = "step-03"'


def test_a_conflict_is_left_in_a_folder_and_replay_goes_on(project, capsys):
    project.git("switch", "-q", "steps")
    project.write("model/rate.py", "# the rate of learning\nRATE = 0.5\n")
    project.git("commit", "-qa", "--amend", "--no-edit")
    project.git("switch", "-q", "--detach", "steps~2")
    project.write("model/rate.py", "# learning rate\nRATE = 0.5\n")
    project.git("commit", "-qa", "--amend", "--no-edit")
    project.git("cherry-pick", "steps~1")
    project.run("git", "cherry-pick", "steps", check=False)
    project.git("cherry-pick", "--abort")
    project.git("switch", "-q", "steps")
    project.write("model/rate.py", "# learning rate!\nRATE = 0.5\n")
    project.git("commit", "-qa", "--fixup", ":/^step-01")
    before = project.git("rev-parse", "steps")
    project.git("switch", "-q", "main")
    assert replay.main([], project.folder) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1 and "conflict in model/rate.py" in message
    assert project.git("rev-parse", "steps") == before
    place = Repository(message.split("mend it in ")[1].split(",")[0])
    place.write("model/rate.py", "# learning rate!\nRATE = 0.5\n")
    place.git("add", "-A")
    place.run("git", "-c", "core.editor=true", "rebase", "--continue", check=False)
    if "rebase" in place.run("git", "status").stdout:
        place.write("model/rate.py", "# the rate of learning\nRATE = 0.5\n")
        place.git("add", "-A")
        place.git("-c", "core.editor=true", "rebase", "--continue")
    assert replay.main(["--continue"], project.folder) == 0
    assert len(steps.read_chain("steps", project.folder)) == 3


@pytest.mark.parametrize(
    "spoil, message",
    [
        ("subject", "the chain: got 'Step 3: More'; expected 'step-03: …'"),
        ("gap", "the chain: got 'step-04: More'; expected 'step-03: …'"),
        ("merge", "the chain holds a merge: got 'step-03: More'; expected one line of steps"),
        ("trailer", "'step-03: More' has no trailer; expected a last line 'Step: its-slug'"),
    ],
)
def test_a_spoilt_chain_is_refused_with_one_line(project, capsys, spoil, message):
    project.git("switch", "-q", "steps")
    if spoil == "merge":
        project.git("switch", "-q", "-c", "side", "steps~1")
        project.write("model/side.py", "\n")
        project.commit("step-02: Side\n\nStep: side")
        project.git("switch", "-q", "steps")
        project.git("merge", "-q", "side", "-m", "step-03: More\n\nStep: more")
    else:
        project.write("model/more.py", "\n")
        subject = {"subject": "Step 3: More", "gap": "step-04: More"}.get(spoil, "step-03: More")
        project.commit(subject + ("" if spoil == "trailer" else "\n\nStep: more"))
    project.git("switch", "-q", "main")
    before = project.git("rev-parse", "main")
    assert release.main(["summary"], project.folder) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert project.git("rev-parse", "main") == before


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, None])
def test_a_release_that_fails_or_is_interrupted_leaves_nothing_behind(project, interruption):
    project.git("switch", "-q", "steps")
    project.write("model/end.py", '"""the very end"""\n')
    project.git("commit", "-qa", "--amend", "--no-edit")
    project.git("switch", "-q", "main")
    before = project.git("rev-parse", "main", "steps"), project.git("status", "--porcelain")

    def prove(*arguments):
        if interruption:
            raise interruption
        return 1

    with pytest.raises(interruption or release.Problem):
        project.release("half done", prove=prove)
    assert (
        project.git("rev-parse", "main", "steps"),
        project.git("status", "--porcelain"),
    ) == before
    assert project.git("tag") == ""


def test_a_release_wants_a_clean_folder_on_main_and_something_new(project, capsys):
    assert release.main(["again"], project.folder) == 2
    assert "nothing to release" in capsys.readouterr().err
    project.write("README.md", "readme\nedited\n")
    assert release.main(["again"], project.folder) == 2
    assert "expected the book committed on main" in capsys.readouterr().err
    project.git("checkout", "-q", "README.md")
    project.git("switch", "-q", "steps")
    assert release.main(["again"], project.folder) == 2
    assert "expected git switch main" in capsys.readouterr().err
    assert release.main([], project.folder) == 2
