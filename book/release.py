"""Makes a release: a merge on main of the book as it is and the code of the branch steps.

    python3 book/release.py "what is new"             proves every step first
    python3 book/release.py --quick "what is new"     proves the last step alone

The release holds book/proven, so that nothing of it is proven twice. main moves only at the very
end, in one go: a release that is interrupted or that fails leaves nothing behind.
"""

import re
import sys

from check import check_commit
from common import (
    PROVEN,
    ROOT,
    Problem,
    commit_tree,
    git,
    merged_tree,
    next_number,
    read_chain,
    release_at,
    require_clone,
    run_program,
    with_file,
)


def prepare(summary, root=ROOT):
    """The merge commit of the next release (nothing refers to it yet), and its range-diff."""
    require_clone(root)
    edits = git("status", "--porcelain", "--untracked-files=no", root=root).splitlines()
    edits = " ".join(line for line in edits if line.split()[-1] != PROVEN)  # written anew
    if edits:
        raise Problem(f"edited here: {edits.split()[1]}, …; expected the book committed on main")
    if git("symbolic-ref", "--short", "-q", "HEAD", root=root, check=False).strip() != "main":
        raise Problem("another branch than main is checked out; expected git switch main")
    tip = git("rev-parse", "--verify", "-q", "refs/heads/steps", root=root, check=False).strip()
    if not tip:
        raise Problem("there is no branch steps; expected one with the chain to release")
    read_chain(tip, root)  # refuses a chain that is not workshop, step-00, step-01, …
    fixups = git("log", "--format=%s", "--grep=^fixup!", tip, root=root)
    if fixups:
        raise Problem(f"the chain holds '{fixups.splitlines()[0]}'; expected book/replay.py first")
    main = git("rev-parse", "refs/heads/main", root=root).strip()
    moved = ""
    try:
        _, before = release_at(main, root)
        if before == tip and not code_differs(main, tip, root):
            raise Problem("nothing to release; expected a chain that differs from the last release")
        moved = git("range-diff", "-s", "--no-color", f"{before}...{tip}", root=root)
    except Problem as problem:
        if not str(problem).startswith("no release found"):
            raise
    number = next_number(root)
    message = f"release {number}: {summary}\n"
    if moved:
        short = re.sub(r"[0-9a-f]{7,40}", lambda match: match[0][:7], moved)
        message += "\nThe chain, before and now:\n\n" + short
    return (
        main,
        commit_tree(merged_tree(main, tip, root), [main, tip], message, root),
        moved,
    )


def code_differs(main, tip, root):
    tree = git("rev-parse", f"{main}^{{tree}}", root=root).strip()
    return merged_tree(main, tip, root) != tree


def release(summary, quick=False, root=ROOT, prove=check_commit):
    _, merge, moved = prepare(summary, root)
    steps = read_chain(f"{merge}^2", root)
    kept = []
    red = prove(merge, [f"{len(steps) - 1:02d}"] if quick else [], root, kept.append)
    if red:
        raise Problem("not released: expected every step green")
    if kept:
        merge = with_proofs(merge, kept[0], root)
    # --ff-only moves the folder and main together, or neither.
    git("merge", "--ff-only", "-q", merge, root=root)
    print(moved or "the first release")
    print(git("log", "-1", "--format=%h %s", root=root).strip())


def with_proofs(merge, text, root):
    """The same merge with what is proven now in book/proven; a copy in the folder makes way."""
    if git("ls-files", PROVEN, root=root):
        git("checkout", "-q", "HEAD", "--", PROVEN, root=root)
    else:
        (root / PROVEN).unlink(missing_ok=True)
    parents = git("show", "-s", "--format=%P", merge, root=root).split()
    message = git("show", "-s", "--format=%B", merge, root=root).strip() + "\n"
    return commit_tree(with_file(merge, PROVEN, text, root), parents, message, root)


def main(words, root=ROOT):
    quick = "--quick" in words
    words = [word for word in words if word != "--quick"]
    try:
        if len(words) != 1 or words[0].startswith("-"):
            raise Problem(f"got {len(words)} words; expected one summary in quotes")
        release(words[0], quick, root)
    except Problem as problem:
        print(f"release.py: {problem}", file=sys.stderr)
        return 2 if "not released" not in str(problem) else 1
    return 0


if __name__ == "__main__":
    run_program(main)
