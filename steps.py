"""Walk through the tutorial, one step at a time.

    python3 steps.py                  where am I, and what comes next?
    python3 steps.py list             all steps, with the lines each one changes
    python3 steps.py go 07            turn this folder into step 07 (also: next, prev)
    python3 steps.py diff [07]        what step 07 changed, in reading order
    python3 steps.py read [07]        the section of STEPS.md about step 07
    python3 steps.py solution [07]    hints for its exercises; --patch prints the solution
    python3 steps.py tag              make the tags step-NN (the other commands do it too)

Without a number, diff, read and solution speak of the step that is checked out.
"""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
CODE = ("engine", "model", "kernels", ":!model/data")


class Problem(Exception):
    """Something the reader can mend: one line that says what was got and what was expected."""


@dataclass
class Step:
    number: int
    slug: str
    title: str
    commit: str
    trailers: dict

    @property
    def tag(self):
        return f"step-{self.number:02d}"

    def __str__(self):
        return f"{self.tag} · {self.title}"


def git(*arguments, root=ROOT, stdin=None, check=True):
    """The standard output of a git command."""
    env = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-c", "advice.detachedHead=false", *arguments],
            cwd=root,
            env=env,
            input=stdin,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        raise Problem("git is not installed; expected the command git on the PATH") from None
    if check and done.returncode:
        raise Problem(" ".join(done.stderr.split()) or f"git {arguments[0]} failed")
    return done.stdout


def require_clone(root=ROOT):
    top = git("rev-parse", "--show-toplevel", root=root, check=False).strip()
    if not top or Path(top).resolve() != Path(root).resolve():
        raise Problem(
            f"{root} is not a git clone of this project; expected one made with git clone"
        )


def newest_release(root=ROOT):
    """(number, merge commit, the ref whose history holds it) of the newest release."""
    remotes = git("for-each-ref", "--format=%(refname)", "refs/remotes/*/main", root=root)
    found = []
    for ref in ["HEAD", "refs/heads/main", *remotes.split()]:
        if git("rev-parse", "--verify", "-q", ref, root=root, check=False):
            found += [(number, merge, ref) for number, merge in releases(ref, root)[:1]]
    if found:
        return max(found, key=lambda release: release[0])
    if git("rev-parse", "--is-shallow-repository", root=root).strip() == "true":
        raise Problem("this clone is shallow: its history is cut off; run git fetch --unshallow")
    raise Problem(
        "no release found; expected one in the history of main: "
        "run git fetch origin main:refs/remotes/origin/main"
    )


def releases(ref, root=ROOT):
    """[(number, merge commit)] of the releases on the first-parent line of `ref`, newest first."""
    log = git("log", "--first-parent", "--merges", "--format=%H %s", ref, root=root)
    matches = re.finditer(r"^([0-9a-f]+) release (\d+): ", log, re.M)
    return [(int(match[2]), match[1]) for match in matches]


def read_chain(tip, root=ROOT):
    """The steps of the chain that ends at commit `tip`, first to last.

    Raises Problem where the chain is not `workshop: …` followed by step-00, step-01, …
    """
    pretty = "%H%x1f%P%x1f%s%x1f%(trailers:only,unfold)%x1e"
    log = git("log", "--reverse", "--topo-order", f"--format={pretty}", tip, root=root)
    commits = [record.strip("\n").split("\x1f") for record in log.split("\x1e")[:-1]]
    for _, parents, subject, _ in commits:
        if len(parents.split()) > 1:
            raise Problem(f"the chain holds a merge: got '{subject}'; expected one line of steps")
    steps = []
    for index, (commit, _, subject, trailers) in enumerate(commits):
        if index == 0:
            if subject.startswith("workshop: "):
                continue
            if git("rev-parse", "--is-shallow-repository", root=root).strip() == "true":
                raise Problem(
                    "this clone is shallow: its history is cut off; run git fetch --unshallow"
                )
            raise Problem(f"the chain starts with '{subject}'; expected 'workshop: …'")
        match = re.fullmatch(r"step-(\d\d): (.+)", subject)
        if not match or int(match[1]) != len(steps):
            raise Problem(f"the chain: got '{subject}'; expected 'step-{len(steps):02d}: …'")
        pairs = [line.split(": ", 1) for line in trailers.splitlines() if ": " in line]
        if "Step" not in dict(pairs):
            raise Problem(f"'{subject}' has no trailer; expected a last line 'Step: its-slug'")
        steps.append(Step(len(steps), dict(pairs)["Step"], match[2], commit, dict(pairs)))
    return steps


def released_chain(root=ROOT):
    """The steps of the newest release, and the ref of main that holds it."""
    require_clone(root)
    _, merge, ref = newest_release(root)
    parents = git("show", "-s", "--format=%P", merge, root=root).split()
    if len(parents) < 2:
        raise Problem("this clone is shallow: its history is cut off; run git fetch --unshallow")
    return read_chain(parents[1], root), ref


def set_tags(steps, root=ROOT, prefix=""):
    """Makes step-NN and act-N point at this chain, in one transaction; returns how many moved."""
    want = {prefix + step.tag: step.commit for step in steps}
    want |= {prefix + s.trailers["Ends"]: s.commit for s in steps if "Ends" in s.trailers}
    have = {}
    for line in git("show-ref", "--tags", root=root, check=False).splitlines():
        commit, ref = line.split()
        have[ref.removeprefix("refs/tags/")] = commit
    ours = re.compile(re.escape(prefix) + r"(step-\d\d|act-\d)")
    moved = [f"update refs/tags/{t} {c}" for t, c in want.items() if have.get(t) != c]
    moved += [f"delete refs/tags/{t}" for t in have if ours.fullmatch(t) and t not in want]
    if moved:
        git("update-ref", "--stdin", root=root, stdin="\n".join(moved) + "\n")
    return len(moved)


def current(steps):
    """The step that is checked out here; on main or a branch of your own, the last one below."""
    head = git("rev-parse", "HEAD").strip()
    for step in steps:
        if step.commit == head:
            return step
    behind = set(git("rev-list", "HEAD").split())
    known = [step for step in steps if step.commit in behind]
    if not known:
        raise Problem("this commit does not come from a step; expected one: python3 steps.py list")
    return known[-1]


def pick(steps, word):
    """The step meant by '7', '07', 'step-07', 'next' or 'prev'; without a word, the current one."""
    if word is None:
        return current(steps)
    if word in ("next", "prev"):
        number = current(steps).number + (1 if word == "next" else -1)
    else:
        match = re.fullmatch(r"(?:step-)?(\d{1,2})", word)
        if not match:
            raise Problem(f"got '{word}'; expected a step number such as 07")
        number = int(match[1])
    if not 0 <= number < len(steps):
        raise Problem(
            f"there is no step {number:02d}; expected one from 00 to {len(steps) - 1:02d}"
        )
    return steps[number]


def diff_sizes(steps, root=ROOT):
    """{step number: lines added and removed in engine/, model/ and kernels/}."""
    sizes, commit = {}, None
    numbers = {step.commit: step.number for step in steps}
    log = git("log", "--numstat", "--format=%H", steps[-1].commit, "--", *CODE, root=root)
    for line in log.splitlines():
        if "\t" in line:
            added, removed, _ = line.split("\t")
            if commit in numbers:
                sizes[numbers[commit]] += int(added) + int(removed)
        elif line:
            commit = line
            sizes[numbers.get(commit)] = 0
    return {step.number: sizes.get(step.number, 0) for step in steps}


def section(ref, step, root=ROOT):
    """The part of STEPS.md (as it stands at `ref`) about one step."""
    book = git("show", f"{ref}:STEPS.md", root=root, check=False)
    match = re.search(rf"^## {step.tag} .*?(?=^<a id=|^## |\Z)", book, re.M | re.S)
    if not match:
        raise Problem(f"STEPS.md on main has no section about {step.tag}")
    return match[0].rstrip() + "\n"


def show_here(steps, ref):
    step = current(steps)
    if git("rev-parse", "HEAD").strip() == step.commit:
        print(f"You are at {step}")
    else:
        print(f"You are on top of {step}")
    if step.number + 1 < len(steps):
        print(f"Next is    {steps[step.number + 1]}")
        print("           python3 steps.py next, then: diff, read")
    else:
        print("That is the last step so far.  To the first one: python3 steps.py go 00")


def show_list(steps, ref):
    here, sizes = current(steps), diff_sizes(steps)
    print("   step     lines  title")
    for step in steps:
        mark = "->" if step.number == here.number else "  "
        print(f"{mark} {step.tag}  {sizes[step.number]:5d}  {step.title}")


def go(steps, ref, word):
    step = pick(steps, word)
    edits = git("status", "--porcelain", "--untracked-files=no")
    if edits:
        raise Problem(
            f"edited here: {', '.join(line[3:] for line in edits.splitlines())}; "
            "keep the edits on a branch (git switch -c mine && git commit -a), put them aside "
            f"(git stash), or leave this folder alone (git worktree add ../{step.tag} {step.tag})"
        )
    git("switch", "--detach", "-q", step.commit)
    print(f"You are at {step}")


def show_diff(steps, ref, word):
    step = pick(steps, word)
    try:
        reading = section(ref, step).split("**Read the diff.**")[-1].split("**Run it.**")[0]
    except Problem:
        reading = ""
    order = re.findall(r"`([\w/.]+\.\w+)", reading)
    order += ["engine/*", "model/*", "kernels/*", "tests/*", "*"]
    with tempfile.NamedTemporaryFile("w", suffix=".order") as file:
        file.write("\n".join(dict.fromkeys(order)) + "\n")
        file.flush()
        shown = ["git", "diff", f"-O{file.name}", f"{step.commit}^", step.commit]
        subprocess.run(shown, cwd=ROOT, check=False)


def show_solution(steps, ref, word, patch):
    step = pick(steps, word)
    names = git("ls-tree", "--name-only", ref, "book/solutions/").split()
    names = [name for name in names if Path(name).name.startswith(f"{step.number:02d}-")]
    if not names:
        raise Problem(f"{step.tag} has no exercise with code; its numbers are checked by hand")
    for name in names:
        hints, _, rest = git("show", f"{ref}:{name}").partition("diff --git ")
        print(f"diff --git {rest}" if patch else hints, end="")
    if not patch:
        print(f"The whole solution: python3 steps.py solution {step.number:02d} --patch")
        print("Put it into the code: the same, then  | git apply")


def main(arguments):
    quiet = "--quiet" in arguments
    patch = "--patch" in arguments
    words = [word for word in arguments if word not in ("--quiet", "--patch")]
    command, word = (words + [None, None])[:2]
    try:
        if command in ("-h", "--help", "help"):
            return print(__doc__.strip())
        if command == "tag" and word == "--release":
            return tag_release(words)
        most = {None: 0, "list": 1, "next": 1, "prev": 1, "tag": 1}.get(command, 2)
        known = (None, "list", "go", "next", "prev", "diff", "read", "solution", "tag")
        if command == "go" and not word:
            raise Problem("got 'go' alone; expected the number of a step, such as go 00")
        if command not in known or len(words) > most:
            raise Problem(f"got '{' '.join(words)}'; expected a command: python3 steps.py help")
        steps, ref = released_chain()
        moved = set_tags(steps)
        if command is None:
            show_here(steps, ref)
        elif command == "list":
            show_list(steps, ref)
        elif command in ("go", "next", "prev"):
            go(steps, ref, word if command == "go" else command)
        elif command == "diff":
            show_diff(steps, ref, word)
        elif command == "read":
            print(section(ref, pick(steps, word)), end="")
        elif command == "solution":
            show_solution(steps, ref, word, patch)
        elif not quiet:
            print(f"{len(steps)} steps, {moved} tags set")
    except Problem as problem:
        if not quiet:
            print(f"steps.py: {problem}", file=sys.stderr)
            return 2
    return 0


def tag_release(words):
    """Fixed tags rN/step-NN for the steps as they stood in release N."""
    require_clone()
    _, _, ref = newest_release()
    merges = dict(releases(ref))
    if len(words) != 3 or not words[2].isdigit() or int(words[2]) not in merges:
        raise Problem(f"got '{' '.join(words[2:])}'; expected a release from 1 to {max(merges)}")
    steps = read_chain(f"{merges[int(words[2])]}^2")
    set_tags(steps, prefix=f"r{words[2]}/")
    print(f"{len(steps)} tags r{words[2]}/step-NN set")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BrokenPipeError, KeyboardInterrupt):
        sys.stderr.close()
