"""Walk through the tutorial, one step at a time.

    python3 steps.py                  where am I, and what comes next?
    python3 steps.py list             all steps, with the lines each one changes
    python3 steps.py go 07            turn this folder into step 07 (also: next, prev)
    python3 steps.py next --short     on to the next step of the short way
    python3 steps.py diff [07]        what step 07 changed, in reading order
    python3 steps.py read [07]        the section of STEPS.md about step 07
    python3 steps.py solution [07]    hints for its exercises; --patch prints the solution
    python3 steps.py tag              make the tags step-NN (the other commands do it too)

Without a number, diff, read and solution speak of the step that is checked out.
"""

if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word, however early

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

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

    @property
    def short(self):
        """Whether the short way leads here: those steps that the mathematics of a GPT needs."""
        return self.trailers.get("Short-way") == "yes"

    def __str__(self):
        return f"{self.tag} · {self.title}"


class Release(NamedTuple):
    number: int
    merge: str
    ref: str  # whose history holds it
    steps: list


def git(*arguments, root=ROOT, stdin=None, check=True):
    """The standard output of a git command."""
    env = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-c", "advice.detachedHead=false", *arguments],
            cwd=root,
            env=env | {"LC_ALL": "C"},  # its words in English: require_clone reads them
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
        )
    except FileNotFoundError:
        raise Problem("git is not installed; expected the command git on the PATH") from None
    if check and done.returncode:
        raise Problem(" ".join(done.stderr.split()) or f"git {arguments[0]} failed")
    return done.stdout


def require_clone(root=ROOT):
    try:
        below = git("rev-parse", "--show-cdup", root=root).strip()  # empty at the top of a clone
    except Problem as problem:
        if "not a git repository" not in str(problem):
            raise  # git says what is wrong: the folder may belong to somebody else
        below = "no clone"
    if below:
        raise Problem(
            f"{root} is not a git clone of this project; expected one made with git clone"
        )


def all_releases(root=ROOT):
    """The releases in the history of HEAD, of main and of each remote's main, newest first."""
    remotes = git("for-each-ref", "--format=%(refname)", "refs/remotes/*/main", root=root)
    refs = {}
    for ref in ["HEAD", "refs/heads/main", *remotes.split()]:
        commit = git("rev-parse", "--verify", "-q", ref, root=root, check=False)
        refs.setdefault(commit, ref)
    found = [release for commit, ref in refs.items() if commit for release in releases(ref, root)]
    if found:
        return sorted(found, key=lambda release: release.number, reverse=True)
    if git("rev-parse", "--is-shallow-repository", root=root).strip() == "true":
        raise Problem("this clone is shallow: its history is cut off; run git fetch --unshallow")
    raise Problem(
        "no release found; expected one in the history of main: "
        "run git fetch origin main:refs/remotes/origin/main"
    )


def newest_release(root=ROOT):
    return all_releases(root)[0]


def releases(ref, root=ROOT):
    """The releases on the first-parent line of `ref`, newest first.

    A release is a merge with such a title whose second parent is a chain, and its number is above
    those before it: a merge of your own that is called "release 99: …" is none.
    """
    commits = history(ref, root)
    found, commit = [], next(iter(commits))
    while commit in commits:
        parents, subject, _ = commits[commit]
        match = re.match(r"release ([0-9]{1,6}): ", subject)
        if match and len(parents) == 2:
            with contextlib.suppress(Problem):
                steps = chain(parents[1], commits, root)
                found.append(Release(int(match[1]), commit, ref, steps))
        commit = parents[0] if parents else None
    rising = []
    for release in reversed(found):
        if not rising or release.number > rising[-1].number:
            rising.append(release)
    return rising[::-1]


def history(ref, root=ROOT):
    """{commit: ([parent, …], subject, trailers)} for all that leads to `ref`, which is first."""
    pretty = "%H%x00%P%x00%s%x00%(trailers:only,unfold)%x00"
    log = git("log", "--topo-order", f"--format={pretty}", ref, "--", root=root)
    fields = iter(log.split("\0"))
    records = zip(fields, fields, fields, fields)
    return {commit.strip(): (parents.split(), s, t) for commit, parents, s, t in records}


def read_chain(tip, root=ROOT):
    """The steps of the chain that ends at commit `tip`, first to last.

    Raises Problem where the chain is not `workshop: …` followed by step-00, step-01, …
    """
    commits = history(tip, root)
    return chain(next(iter(commits)), commits, root)


def chain(tip, commits, root=ROOT):
    """read_chain, from a history that is at hand."""
    line, commit = [], tip
    while commit in commits:
        parents, subject, _ = commits[commit]
        if len(parents) > 1:
            raise Problem(f"the chain holds a merge: got '{subject}'; expected one line of steps")
        line.append(commit)
        commit = parents[0] if parents else None
    steps = []
    for index, commit in enumerate(reversed(line)):
        _, subject, trailers = commits[commit]
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
    if not steps:
        raise Problem("the chain has no step; expected 'step-00: …' after 'workshop: …'")
    return steps


def names(steps, prefix=""):
    """{tag: commit} as these steps would have it."""
    tags = {prefix + step.tag: step.commit for step in steps}
    return tags | {prefix + s.trailers["Ends"]: s.commit for s in steps if "Ends" in s.trailers}


def set_tags(steps, root=ROOT, prefix="", earlier=()):
    """Makes step-NN and act-N point at these steps; (how many moved, tags that stay elsewhere).

    A tag moves, or goes, only from where one of the `earlier` chains had it. Any other is the
    reader's own.
    """
    want = names(steps, prefix)
    known = {pair for chain in earlier for pair in names(chain, prefix).items()}
    have = {}  # a tag with a message of its own also has a line tag^{}, with the commit
    for line in git("show-ref", "--tags", "--dereference", root=root, check=False).splitlines():
        commit, ref = line.split()
        have[ref.removeprefix("refs/tags/")] = commit
    moved, own = [], []
    for tag, commit in want.items():
        if commit in (have.get(tag), have.get(tag + "^{}")):
            continue
        if tag not in have or (tag, have[tag]) in known:
            moved.append(f"update refs/tags/{tag} {commit}")
        else:
            own.append(tag)
    gone = [tag for tag, commit in have.items() if tag not in want and (tag, commit) in known]
    moved += [f"delete refs/tags/{tag}" for tag in gone]
    if moved:
        git("update-ref", "--stdin", root=root, stdin="\n".join(moved) + "\n")
    return len(moved), own


def update_tags(found):
    """set_tags for the newest of these releases."""
    return set_tags(found[0].steps, earlier=[release.steps for release in found])


def current(steps):
    """The step that is checked out here; on main or a branch of your own, the last one below."""
    head = git("rev-parse", "--verify", "-q", "HEAD", check=False).strip()
    if not head:
        raise Problem("this branch has no commit yet; expected a step: python3 steps.py go 00")
    for step in steps:
        if step.commit == head:
            return step
    behind = set(git("rev-list", "HEAD").split())
    known = [step for step in steps if step.commit in behind]
    if not known:
        raise Problem("this commit does not come from a step; expected one: python3 steps.py go 00")
    return known[-1]


def next_of_the_short_way(steps, here):
    return next((step for step in steps[here.number + 1 :] if step.short), None)


def pick(steps, word, short=False):
    """The step meant by '7', '07', 'step-07', 'next' or 'prev'; without a word, the current one.

    `short`: 'next' is the next one of the short way.
    """
    if word is None:
        return current(steps)
    if short:
        here = current(steps)
        if not (after := next_of_the_short_way(steps, here)):
            raise Problem(f"no step of the short way comes after {here.tag}; expected: next")
        return after
    if word in ("next", "prev"):
        number = current(steps).number + (1 if word == "next" else -1)
    else:
        match = re.fullmatch(r"(?:step-)?([0-9]{1,2})", word)
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
        after = next_of_the_short_way(steps, step)
        if step.short and after and after.number > step.number + 1:
            print(f"Or, by the short way, {after}: python3 steps.py next --short")
    else:
        print("That is the last step so far.  To the first one: python3 steps.py go 00")


def show_list(steps, ref):
    here, sizes = None, diff_sizes(steps)
    with contextlib.suppress(Problem):  # a commit without any step below has no place in the list
        here = current(steps)
    print("   step     lines  title      (* the short way)")
    for step in steps:
        mark = "->" if step is here else " *" if step.short else "  "
        print(f"{mark} {step.tag}  {sizes[step.number]:5d}  {step.title}")


def go(steps, ref, word, short=False):
    step = pick(steps, word, short)
    edits = git("status", "--porcelain", "--untracked-files=no")
    if edits:
        raise Problem(
            f"edited here: {', '.join(line[3:] for line in edits.splitlines())}; "
            "keep the edits on a branch (git switch -c mine && git commit -a), put them aside "
            f"(git stash), or leave this folder alone (git worktree add ../{step.tag} {step.tag})"
        )
    lonely = commits_on_no_branch()
    if lonely:
        taken = git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
        name = "mine"
        while name in taken:
            name += "-too"
        raise Problem(
            f"no branch holds what you committed here ({lonely}); keep it first: git branch {name}"
        )
    git("switch", "--detach", "-q", step.commit)
    print(f"You are at {step}")


def commits_on_no_branch():
    """How many commits only the detached HEAD holds: git forgets them once it points elsewhere."""
    if git("symbolic-ref", "-q", "HEAD", check=False):
        return 0
    others = ("--branches", "--tags", "--remotes")
    return int(git("rev-list", "--count", "HEAD", "--not", *others))


def show_diff(steps, ref, word):
    step = pick(steps, word)
    try:
        reading = section(ref, step).split("**Read the diff.**")[-1].split("**Run it.**")[0]
    except Problem:
        reading = ""
    order = re.findall(r"`([\w/.]+\.\w+)", reading)
    changed = git("diff", "--name-only", f"{step.commit}^", step.commit).split()
    order += ["engine/*", *(path for path in changed if re.fullmatch(r"model/\w+\.py", path))]
    order += ["kernels/*", "model/*", "tests/*", "*"]
    with tempfile.NamedTemporaryFile("w", suffix=".order", encoding="utf-8") as file:
        file.write("\n".join(dict.fromkeys(order)) + "\n")
        file.flush()
        shown = ["git", "diff", f"-O{file.name}", f"{step.commit}^", step.commit]
        done = subprocess.run(shown, cwd=ROOT, stderr=subprocess.PIPE, check=False)
    if done.returncode and abs(done.returncode) % 128 != 13:  # 13: a closed pipe, as of  | head
        raise Problem(f"git diff: {done.stderr.decode(errors='replace')}")


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
    if arguments == ["tag", "--quiet"]:  # make's call: never in its way, and without a word
        with contextlib.suppress(Problem, OSError):
            require_clone()
            update_tags(all_releases())
        return
    options = {word for word in arguments[1:] if word in ("--patch", "--short")}
    words = [word for word in arguments if word not in options]
    command, word = (words + [None, None])[:2]
    if command in ("-h", "--help", "help"):
        return print(__doc__.strip())
    if command == "tag" and word == "--release":
        return tag_release(words)
    if command == "go" and not word:
        raise Problem("got 'go' alone; expected the number of a step, such as go 00")
    most = {None: 0, "list": 1, "go": 2, "next": 1, "prev": 1, "tag": 1}
    most |= {"diff": 2, "read": 2, "solution": 2}
    takes = {"solution": {"--patch"}, "next": {"--short"}}
    known = command in most and options <= takes.get(command, set())
    if not known or len(words) > most[command]:
        raise Problem(f"got '{' '.join(arguments)}'; expected a command: python3 steps.py help")
    require_clone()
    found = all_releases()
    steps, ref = found[0].steps, found[0].ref
    try:
        moved, own = update_tags(found)
        if own:
            tags = " ".join(own)
            note = f"your own {tags} stays; git tag -d {tags} makes room for the tutorial's"
            print(f"steps.py: {note}", file=sys.stderr)
    except Problem as problem:
        if command == "tag":
            raise
        print(f"steps.py: no tags made: {problem}", file=sys.stderr)  # the others do without
    if command is None:
        show_here(steps, ref)
    elif command == "list":
        show_list(steps, ref)
    elif command in ("go", "next", "prev"):
        go(steps, ref, word if command == "go" else command, short="--short" in options)
    elif command == "diff":
        show_diff(steps, ref, word)
    elif command == "read":
        print(section(ref, pick(steps, word)), end="")
    elif command == "solution":
        show_solution(steps, ref, word, "--patch" in options)
    else:
        print(f"{len(steps)} steps, {moved} tags set")


def tag_release(words):
    """Fixed tags rN/step-NN for the steps as they stood in release N."""
    require_clone()
    found = {release.number: release for release in releases(newest_release().ref)}
    number = int(words[2]) if re.fullmatch("[0-9]{1,6}", " ".join(words[2:])) else None
    if number not in found:
        raise Problem(f"got '{' '.join(words[2:])}'; expected a release from 1 to {max(found)}")
    steps = found[number].steps
    _, own = set_tags(steps, prefix=f"r{number}/")
    if own:
        raise Problem(f"your own {' '.join(own)} stays; git tag -d {' '.join(own)} makes room")
    print(f"{len(steps)} tags r{number}/step-NN set")


def run_program(main):
    """Runs main(words) and exits with its status.

    Whatever a reader or the system may do wrong ends in one line and status 2. What a terminal
    cannot show becomes a question mark. A closed pipe and Ctrl-C end a program without a word.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="replace")
    try:
        status = main(sys.argv[1:]) or 0
        if sys.stdout:
            sys.stdout.flush()
    except (BrokenPipeError, KeyboardInterrupt) as end:
        status = 0 if isinstance(end, BrokenPipeError) else 130
    except (Problem, OSError, ImportError, subprocess.SubprocessError) as error:
        words = str(error)
        if isinstance(error, OSError) and error.strerror:
            words = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        words = " ".join(words.split())
        shown = "".join(letter if letter.isprintable() else "?" for letter in words)
        with contextlib.suppress(OSError):
            print(f"{Path(sys.argv[0]).name}: {shown}", file=sys.stderr)
        status = 2
    with contextlib.suppress(OSError):  # what is left unwritten would fail again at the exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(status)


if __name__ == "__main__":
    run_program(main)
