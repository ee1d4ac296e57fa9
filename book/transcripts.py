"""The commands in STEPS.md and README.md: find them, run them, compare or record what they print.

A fenced block marked `console` is a transcript. A line that begins with `$ ` is a command, run by
bash in the step's folder; the lines below it are its standard output. After `$ python3 -q` (or
another interpreter with -q) lines with `>>> ` and `... ` are Python. A line `…` in the output
stands for any lines. `<!-- not run: reason -->` on the line before a block leaves it out.

Act I is compared to the last digit. In an array step (`arrays` below) losses agree within
TOLERANCE, and samples need only be there.
"""

import json
import operator
import re
from dataclasses import dataclass, field

from common import run

FENCE = re.compile(
    r"(?P<mark><!-- not run: (?P<reason>[^>]*) -->\n)?^```(?P<kind>\w*)\n(?P<body>.*?)^```$",
    re.M | re.S,
)

# BLAS and processors round differently in the last bits, and hundreds of steps amplify that: two
# machines print losses some thousandths apart. A mistake in the code costs more than this.
TOLERANCE = 0.04
WORDS = "loss|held-out|floor|bits per byte"
LOSS = re.compile(rf"(\b(?:{WORDS})[ :=]+)(\d+\.\d+)|(\d+\.\d+)(?= bits per byte)")
YARDSTICKS = "uniform "  # so begins the line of make train below which the samples stand
FAILED = "(exit status "

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

    def agrees(self, arrays=False):
        sampled = re.search(r"-m model\.sample\b", self.lines[0])
        return agree(self.said, self.got, arrays, all_samples=bool(sampled))


def mask(line):
    """Leaves out what differs from run to run: times, speeds, memory, and blanks beside them."""
    units = r"ms|s|seconds|characters/s|tokens/s|times|MB"
    line = re.sub(rf"( ?) *\d[\d,]*(\.\d+)?(?= ({units})\b)", r"\1*", line)
    line = re.sub(r"\bin \d+\.\d+s\b", "in *s", line)
    return line.rstrip()


def mask_expected(output):
    """The form in which tests/expected.txt keeps what make train prints."""
    lines = [re.sub(r"^step-\d\d ", "step-* ", mask(line)) for line in output.splitlines()]
    return "\n".join(lines) + "\n"


def agree(said, got, arrays=False, all_samples=False):
    """Whether the lines of two outputs say the same, by the rule of act I or of array steps."""
    said, got = ([mask(line) for line in lines] for lines in (said, got))
    if not arrays:
        return matches(said, got)
    said, said_samples = without_samples(said, all_samples)
    got, got_samples = without_samples(got, all_samples)
    return bool(said_samples) == bool(got_samples) and matches(said, got, close)


def without_samples(lines, all_samples):
    """(the lines that are compared, the lines that a model wrote)."""
    ends = [i + 1 for i, line in enumerate(lines) if line.startswith(YARDSTICKS)]
    end = 0 if all_samples else min(ends, default=len(lines))
    failures = [line for line in lines[end:] if line.startswith(FAILED)]
    return lines[:end] + failures, [line for line in lines[end:] if line not in failures]


def close(said, got):
    """Whether two lines are the same but for losses that lie within TOLERANCE."""
    pairs = zip(losses(said), losses(got))
    same_words = LOSS.sub(r"\1*", said) == LOSS.sub(r"\1*", got)
    return same_words and all(abs(a - b) <= TOLERANCE + 1e-9 for a, b in pairs)


def losses(line):
    return [float(after or before) for _, after, before in LOSS.findall(line)]


def settled(expected, output, arrays):
    """The expected output where what make train prints agrees with it, otherwise the new one."""
    new = mask_expected(output)
    agrees = arrays and agree(expected.splitlines(), new.splitlines(), arrays)
    return expected if agrees else new


def matches(said, got, same=operator.eq):
    """Whether the lines agree, where `…` stands for any number of lines."""
    if not said:
        return not got
    if said[0] == "…":
        return any(matches(said[1:], got[i:], same) for i in range(len(got) + 1))
    return bool(got) and same(said[0], got[0]) and matches(said[1:], got[1:], same)


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
                entry.got += [f"{FAILED}{status}: {err.strip()[-300:]})"]


def check(text, folder, known=None, arrays=False):
    """The first disagreement of each transcript of `text`, as lines."""
    problems = []
    for _, entries in blocks(text):
        execute(entries, folder, known)
        for entry in entries:
            if not entry.agrees(arrays):
                said, got = "\n    ".join(entry.said), "\n    ".join(entry.got)
                problems.append(f"{entry.lines[0]}\n  said\n    {said}\n  got\n    {got}")
    return problems


def record(text, folder, known=None, arrays=False):
    """`text` with what its commands print now; outputs that agree already stay as they are."""
    for match, entries in reversed(blocks(text)):
        execute(entries, folder, known)
        lines = []
        for entry in entries:
            lines += entry.lines + (entry.said if entry.agrees(arrays) else entry.got)
        body = "\n".join(lines) + "\n"
        text = text[: match.start("body")] + body + text[match.end("body") :]
    return text
