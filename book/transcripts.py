"""The commands in STEPS.md and README.md: find them, run them, compare or record what they print.

A fenced block marked `console` is a transcript. A line that begins with `$ ` is a command, run by
bash in the step's folder; the lines below it are its standard output. After `$ python3 -q` (or
another interpreter with -q) lines with `>>> ` and `... ` are Python. A line `…` in the output
stands for any lines. `<!-- not run: reason -->` on the line before a block leaves it out.
"""

import json
import re
from dataclasses import dataclass, field

from common import run

FENCE = re.compile(
    r"(?P<mark><!-- not run: (?P<reason>[^>]*) -->\n)?^```(?P<kind>\w*)\n(?P<body>.*?)^```$",
    re.M | re.S,
)

PYTHON = """
import contextlib, io, json, sys
sys.path.insert(0, "")
namespace = {"__name__": "__main__"}
outputs = []
for source in json.load(sys.stdin):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(source, "<stdin>", "single"), namespace)
        except Exception as error:
            print("Traceback (most recent call last):")
            print(f"{type(error).__name__}: {error}")
    outputs.append(out.getvalue())
json.dump(outputs, sys.stdout)
"""


@dataclass
class Entry:
    """One command or Python statement, what the text says it prints, and what it printed."""

    lines: list
    said: list = field(default_factory=list)
    got: list = None

    @property
    def source(self):
        return "\n".join(line[4:] for line in self.lines) + "\n"

    def agrees(self):
        return matches([mask(line) for line in self.said], [mask(line) for line in self.got])


def mask(line):
    """Leaves out what differs from run to run: times, speeds, trailing blanks."""
    line = re.sub(r"\d[\d,]*(\.\d+)?(?= (ms/step|characters/s|s\b|seconds\b))", "*", line)
    line = re.sub(r"\bin \d+\.\d+s\b", "in *s", line)
    return line.rstrip()


def mask_expected(output):
    """The form in which tests/expected.txt keeps what make train prints."""
    lines = [re.sub(r"^step-\d\d ", "step-* ", mask(line)) for line in output.splitlines()]
    return "\n".join(lines) + "\n"


def matches(said, got):
    """Whether the lines agree, where `…` stands for any number of lines."""
    if not said:
        return not got
    if said[0] == "…":
        return any(matches(said[1:], got[i:]) for i in range(len(got) + 1))
    return bool(got) and said[0] == got[0] and matches(said[1:], got[1:])


def blocks(text):
    """The transcripts of a text that are to be run: [(match, [Entry, …])]."""
    found = []
    for match in FENCE.finditer(text):
        if match["kind"] == "console" and not match["mark"]:
            found.append((match, parse(match["body"])))
    return found


def not_run(text):
    return [match["reason"] for match in FENCE.finditer(text) if match["mark"]]


def parse(body):
    entries = []
    for line in body.splitlines():
        if line.startswith(("$ ", ">>> ")):
            entries.append(Entry([line]))
        elif line.startswith("...") and entries and not entries[-1].said:
            entries[-1].lines.append(line)
        elif entries:
            entries[-1].said.append(line)
        else:
            raise ValueError(f"a transcript begins with '{line}'; expected '$ ' and a command")
    return entries


def execute(entries, folder, known=None):
    """Runs the entries in `folder` and fills in what they printed; `known`: {command: output}."""
    waiting = list(entries)
    while waiting:
        entry = waiting.pop(0)
        command = entry.lines[0][2:]
        if re.fullmatch(r"\S*python\S* -q", command):
            entry.got = []
            session = []
            while waiting and waiting[0].lines[0].startswith(">>> "):
                session.append(waiting.pop(0))
            sources = json.dumps([each.source for each in session])
            interpreter = command.removesuffix(" -q")
            status, out, err = run(f"{interpreter} -c '{PYTHON}'", folder, input=sources)
            outputs = json.loads(out) if not status else [err] * len(session)
            for each, output in zip(session, outputs):
                each.got = output.splitlines()
        elif command in (known or {}):
            entry.got = known[command].splitlines()
        else:
            status, out, err = run(command, folder)
            entry.got = out.splitlines()
            if status:
                entry.got += [f"(exit status {status}: {err.strip()[-300:]})"]


def check(text, folder, known=None):
    """The first disagreement of each transcript of `text`, as lines."""
    problems = []
    for _, entries in blocks(text):
        execute(entries, folder, known)
        for entry in entries:
            if not entry.agrees():
                said, got = "\n    ".join(entry.said), "\n    ".join(entry.got)
                problems.append(f"{entry.lines[0]}\n  said\n    {said}\n  got\n    {got}")
    return problems


def record(text, folder, known=None):
    """`text` with what its commands print now; outputs that agree already stay as they are."""
    for match, entries in reversed(blocks(text)):
        execute(entries, folder, known)
        lines = []
        for entry in entries:
            lines += entry.lines + (entry.said if entry.agrees() else entry.got)
        body = "\n".join(lines) + "\n"
        text = text[: match.start("body")] + body + text[match.end("body") :]
    return text
