"""Replays the branch steps after a mend in an early step: one command, whatever has to follow.

    git switch steps
    git add -A && git commit --fixup :/^step-02     the mend, as a note to step-02
    git switch main
    python3 book/replay.py                          every later step, made anew

The fixups are squashed into their steps, steps are numbered in their order, and where a step's
code has changed, its model is trained again and tests/expected.txt written anew. Steps that
nothing has touched stay the commits they were. A conflict that git cannot settle is left for
you in a folder that the message names; --continue goes on from there, --abort forgets it.
"""

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import transcripts
from common import (
    EXPECTED,
    NUMBER,
    ROOT,
    Problem,
    cache,
    environment,
    git,
    git_with,
    is_array_step,
    last_line,
    require_clone,
    run_program,
    sandbox,
    with_file,
)
from training import first_losses, same_run, trained

BRANCH = "refs/heads/steps"


def squash(root=ROOT):
    """Rebases steps with its fixups in a folder of its own; returns the new tip."""
    place = cache(root) / "replay"
    attributes = cache(root) / "attributes"
    attributes.write_text(f"{EXPECTED} merge=made-anew\n{NUMBER} merge=made-anew\n")
    git("worktree", "add", "-q", "--detach", str(place), BRANCH, root=root)
    settings = [
        "-c",
        f"core.attributesFile={attributes}",
        "-c",
        "merge.made-anew.driver=true",
    ]
    settings += ["-c", "rerere.enabled=true", "-c", "rerere.autoupdate=true"]
    done = subprocess.run(
        ["git", *settings, "rebase", "-q", "-i", "--autosquash", "--root"],
        cwd=place,
        env=quiet_editor(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        files = git("diff", "--name-only", "--diff-filter=U", root=place).split()
        subject = git("log", "-1", "--format=%s", "REBASE_HEAD", root=place, check=False).strip()
        raise Problem(
            f"conflict in {', '.join(files) or last_line(done.stderr)} while replaying "
            f"'{subject}': mend it in {place}, git add it and git rebase --continue there, "
            "then python3 book/replay.py --continue (or --abort)"
        )
    return finish_worktree(place, root)


def quiet_editor():
    env = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    return env | {"GIT_SEQUENCE_EDITOR": "true", "GIT_EDITOR": "true"}


def finish_worktree(place, root):
    tip = git("rev-parse", "HEAD", root=place).strip()
    git("worktree", "remove", "--force", str(place), root=root)
    return tip


def resume(root=ROOT):
    place = cache(root) / "replay"
    if not place.exists():
        raise Problem("nothing to continue; expected a replay that stopped at a conflict")
    git_folder = Path(git("rev-parse", "--absolute-git-dir", root=place).strip())
    if (git_folder / "rebase-merge").exists():
        raise Problem(f"the rebase in {place} has not ended; expected git rebase --continue there")
    return finish_worktree(place, root)


def rebuild(tip, root=ROOT):
    """The chain up to `tip` with numbers and expected outputs as they should be; its new tip."""
    commits = git("rev-list", "--reverse", tip, root=root).split()
    numbered = commits[:1] + [
        with_number(commit, number, root) for number, commit in enumerate(commits[1:])
    ]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(2) as pool:
        own = [
            i for i in range(1, len(commits)) if i == 1 or not declares_same_run(commits[i], root)
        ]
        jobs = {i: pool.submit(expected_output, numbered[i], scratch, root) for i in own}
        outputs = {i: job.result() for i, job in jobs.items()}
        for i in range(1, len(commits)):
            if i not in outputs:
                require_same_run(numbered[i - 1], numbered[i], commits[i], scratch, root)
                outputs[i] = outputs[i - 1]
    new = commits[0]
    for number, (old, commit) in enumerate(zip(commits[1:], numbered[1:])):
        tree = with_file(commit, EXPECTED, outputs[number + 1], root)
        new = commit_again(old, new, tree, number, root)
    return new


def declares_same_run(commit, root):
    trailers = git("show", "-s", "--format=%(trailers:only,unfold)", commit, root=root)
    return "Same-run: yes" in trailers.splitlines()


def require_same_run(before, after, named, scratch, root):
    """Refuses a step that declares Same-run and whose first losses are not those before it."""
    folders = [furnished(commit, scratch, root) for commit in (before, after)]
    pairs = zip((before, after), folders)
    losses = [first_losses(commit, folder, scratch, root) for commit, folder in pairs]
    if difference := same_run(*losses):
        subject = git("show", "-s", "--format=%s", named, root=root).strip()
        raise Problem(f"'{subject}' says Same-run: {difference}; expected no such trailer")


def with_number(commit, number, root):
    """A commit whose code carries the right number (the same one if it already does)."""
    text = git("show", f"{commit}:{NUMBER}", root=root)
    right = re.sub(r"step-\d\d", f"step-{number:02d}", text)
    if right == text:
        return commit
    tree = with_file(commit, NUMBER, right, root)
    return git("commit-tree", tree, "-p", commit, root=root, stdin="numbered").strip()


def expected_output(commit, scratch, root):
    output = trained(commit, furnished(commit, scratch, root), root, files=False)[0]
    kept = git("show", f"{commit}:{EXPECTED}", root=root, check=False)
    return transcripts.settled(kept, output, is_array_step(commit, root))


def furnished(commit, scratch, root):
    """A scratch clone of a commit, with its environment."""
    here = Path(scratch) / commit
    if not here.exists():
        sandbox(commit, here, root)
        (here / ".venv").symlink_to(environment(commit, "VENV", root))
    return here


def commit_again(old, parent, tree, number, root):
    """`old` on another parent, with another tree or number; `old` itself where nothing differs."""
    fields = git("show", "-s", "--format=%P%x00%T%x00%an%x00%ae%x00%aI%x00%B", old, root=root)
    parents, old_tree, name, mail, date, message = fields.split("\x00")
    message = message.strip() + "\n"
    right = re.sub(r"^step-\d\d: ", f"step-{number:02d}: ", message)
    if not re.match(r"step-\d\d: ", message):
        raise Problem(f"got the subject '{message.splitlines()[0]}'; expected 'step-NN: …'")
    if (parents, old_tree, message) == (parent, tree, right):
        return old
    author = {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": mail,
        "GIT_AUTHOR_DATE": date,
    }
    return git_with(author, "commit-tree", tree, "-p", parent, root=root, stdin=right).strip()


def checked_out(root=ROOT):
    """The folders in which the branch steps is checked out; they must hold no edits."""
    folders = git("worktree", "list", "--porcelain", root=root).split("\n\n")
    here = [f.splitlines()[0].removeprefix("worktree ") for f in folders if f"branch {BRANCH}" in f]
    for folder in here:
        if git("status", "--porcelain", "--untracked-files=no", root=folder):
            raise Problem(
                f"steps is checked out in {folder} with edits; expected none: commit them"
            )
    return here


def move_branch(old, new, root=ROOT):
    """Points steps at `new`; a folder in which it is checked out follows."""
    folders = checked_out(root)
    git("update-ref", BRANCH, new, old, root=root)
    for folder in folders:
        git("reset", "--hard", "-q", root=folder)


def main(words, root=ROOT):
    try:
        if words not in ([], ["--continue"], ["--abort"]):
            raise Problem(f"got '{' '.join(words)}'; expected nothing, --continue or --abort")
        require_clone(root)
        old = git("rev-parse", "--verify", "-q", BRANCH, root=root, check=False).strip()
        if not old:
            raise Problem(
                "there is no branch steps; expected one on the chain: "
                "git branch steps <second parent of the newest release>"
            )
        place = cache(root) / "replay"
        if words == ["--abort"]:
            if not place.exists():
                raise Problem("nothing to abort; expected a replay that stopped at a conflict")
            git("worktree", "remove", "--force", str(place), root=root)
            return 0
        if not words and place.exists():
            raise Problem("a replay stopped at a conflict; expected --continue or --abort")
        checked_out(root)
        new = rebuild(resume(root) if words else squash(root), root)
        move_branch(old, new, root)
        moved = git("range-diff", "--no-color", f"{old}...{new}", root=root, check=False)
        print(moved.rstrip() or "nothing has changed")
        return 0
    except Problem as problem:
        print(f"replay.py: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    run_program(main)
