"""What the site is made of: the sections of STEPS.md, and the chain with its files and diffs.

Nothing here knows HTML. All of it is read from git and from the book as it lies in the folder.
"""

import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from common import EXPECTED, ROOT, Problem, chosen_chain, git, run_program  # noqa: E402
from front import acts  # noqa: E402

__all__ = ["ROOT", "Problem", "Source", "run_program"]

ANCHOR = re.compile(r'<a id="([\w-]+)"></a>\n')
SECTION = re.compile(r'^(?:<a id="([\w-]+)"></a>\n)?## (.+)\n', re.M)
STEP_TITLE = re.compile(r"step-(\d\d+) · (.+)")
READING = re.compile(r"\*\*Read the diff\.\*\*(.*?)(?=^\*\*Run it\.|\Z)", re.M | re.S)
HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
CONTEXT = 4  # lines shown around a change


@dataclass
class Section:
    """A part of STEPS.md from one `## title` to the next."""

    name: str  # of its page: the anchor above its title, or a short form of the title
    title: str
    body: str

    @property
    def anchors(self):
        """Other places in it that links lead to."""
        return ANCHOR.findall(self.body)


def short_form(title):
    """GitHub's name of a heading: small letters, digits and hyphens."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


def sections(text):
    """The sections of STEPS.md in order; what stands above the first is left out."""
    found = list(SECTION.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return [
        Section(match[1] or short_form(match[2]), match[2], text[match.end() : end].strip() + "\n")
        for match, end in zip(found, ends)
    ]


@dataclass
class Change:
    """What a step did to one file: hunks are lists of (sign, old number, new number)."""

    path: str
    before: str  # the path that it had; the same but for a rename
    old: str  # the blob of the file before; zeros where there was none
    new: str
    hunks: list = field(default_factory=list)

    @property
    def kind(self):
        if not self.old.strip("0"):
            return "new"
        if not self.new.strip("0"):
            return "gone"
        return "renamed" if self.before != self.path else "changed"

    def count(self, sign):
        return sum(line[0] == sign for hunk in self.hunks for line in hunk)


def read_diff(text):
    """The changes in the output of git diff --full-index."""
    changes, old, new = [], 0, 0
    for line in text.split("\n"):
        if line.startswith("diff --git "):
            before, path = re.match(r"diff --git a/(.+) b/(.+)$", line).groups()
            changes.append(Change(path, before, "1", "1"))  # a mere rename has no index line
        elif line.startswith("index ") and not changes[-1].hunks:
            changes[-1].old, changes[-1].new = re.match(r"index (\w+)\.\.(\w+)", line).groups()
        elif match := HUNK.match(line):
            old, new = int(match[1]), int(match[2])
            changes[-1].hunks.append([])
        elif line[:1] in ("+", "-", " ") and changes and changes[-1].hunks:
            sign = line[0]
            changes[-1].hunks[-1].append((sign, old, new))
            old, new = old + (sign != "+"), new + (sign != "-")
    return changes


def reading_order(reading, paths):
    """Patterns for git diff -O: the files that a section names first, then as steps.py diff."""
    named = re.findall(r"`([\w/.]+\.\w+)", reading)
    model = (path for path in paths if re.fullmatch(r"model/\w+\.py", path))
    return list(dict.fromkeys([*named, "engine/*", *model, "kernels/*", "model/*", "tests/*", "*"]))


class Blobs:
    """The contents of files in git, by one process that is asked for each."""

    def __init__(self, root):
        command = ["git", "cat-file", "--batch"]
        self.process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.known = {}

    def __getitem__(self, blob):
        if blob not in self.known:
            self.process.stdin.write(f"{blob}\n".encode())
            self.process.stdin.flush()
            header = self.process.stdout.readline().split()
            if header[1:2] != [b"blob"]:
                raise Problem(f"got {blob}, which is no file in git; expected a blob of the chain")
            content = self.process.stdout.read(int(header[2]))
            self.process.stdout.read(1)
            self.known[blob] = content.decode(errors="replace")
        return self.known[blob]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Source:
    """The chain and the book's text. `words`: --candidate takes the branch steps."""

    def __init__(self, words=(), root=ROOT):
        self.root = Path(root)
        self.steps = chosen_chain(words, root)
        self.blobs = Blobs(root)
        self.sections = sections((self.root / "STEPS.md").read_text())
        self.readme = (self.root / "README.md").read_text()

    @cached_property
    def section_of(self):
        """{tag: its section}. A step without one has a page with its diff alone."""
        named = {section.name: section for section in self.sections}
        titled = {
            f"step-{match[1]}": section
            for section in self.sections
            if (match := STEP_TITLE.match(section.title))
        }
        return {step.tag: titled.get(step.tag) or named.get(step.tag) for step in self.steps}

    @cached_property
    def trees(self):
        """{tag: {path: blob}}"""
        found = {}
        for step in self.steps:
            lines = git("ls-tree", "-r", step.commit, root=self.root).splitlines()
            pairs = (line.split("\t") for line in lines)
            found[step.tag] = {path: words.split()[2] for words, path in pairs}
        return found

    @cached_property
    def changes(self):
        """{tag: [Change, …] in reading order}"""
        return {step.tag: self._changes(step) for step in self.steps}

    def _changes(self, step):
        between = (f"{step.commit}^", step.commit)
        paths = git("diff", "--name-only", *between, root=self.root).split()
        section = self.section_of[step.tag]
        reading = READING.search(section.body) if section else None
        order = reading_order(reading[1] if reading else "", paths)
        with tempfile.NamedTemporaryFile("w", suffix=".order") as file:
            file.write("\n".join(order) + "\n")
            file.flush()
            options = (f"-O{file.name}", "--full-index", f"-U{CONTEXT}", "--no-color")
            return read_diff(git("diff", *options, *between, root=self.root))

    @cached_property
    def history(self):
        """{path: [(step, its Change), …]}: which steps touched a file."""
        found = defaultdict(list)
        for step in self.steps:
            for change in self.changes[step.tag]:
                found[change.path].append((step, change))
        return found

    @cached_property
    def expected(self):
        """{tag: what make train prints there}"""
        return {
            tag: self.blobs[tree[EXPECTED]] if EXPECTED in tree else ""
            for tag, tree in self.trees.items()
        }

    @cached_property
    def act_of(self):
        """{tag: 1, 2 or 3}"""
        return {step.tag: n for n, act in enumerate(acts(self.steps), 1) for step in act}

    def lines_changed(self, step):
        """Lines added and removed outside the tests, as the table of steps counts them."""
        return sum(
            change.count("+") + change.count("-")
            for change in self.changes[step.tag]
            if change.path.startswith(("engine/", "model/", "kernels/"))
            and not change.path.startswith("model/data/")
        )
