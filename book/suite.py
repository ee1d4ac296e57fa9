"""Runs tests file by file: what each file showed, so that each can be proven on its own."""

import contextlib
import re
import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass
from pathlib import Path

from common import last_line, run

PYTEST = ".venv/bin/python -m pytest"
INTERPRET = f"KERNELS_DEVICE=interpret {PYTEST}"


@dataclass
class Outcome:
    """What one test file showed: how many tests in how many seconds, and the first failure."""

    tests: int = 0
    seconds: float = 0.0
    failure: str = ""

    def shown(self):
        return f"{self.tests} tests"


def run_files(here, files, pytest=PYTEST):
    """({file: Outcome}, seconds, problems) of some test files, in one process."""
    report = here.with_suffix(".xml")
    return outcomes(here, f"{pytest} {' '.join(files)} --junitxml={report}", report, files)


@contextlib.contextmanager
def out_of_reach(here, failing, replaced=()):
    """Of the clone `here`, in any process: who imports a file of `failing` fails, who imports one
    of `replaced` gets a stand-in (REACH in book/common.py).
    """
    place = Path(f"{here}.out-of-reach")
    lines = []
    for paths in (failing, replaced):
        names = [path.removesuffix(".py").removesuffix("/__init__") for path in sorted(paths)]
        lines.append(" ".join(name.replace("/", ".") for name in names))
    place.write_text("\n".join(lines) + "\n")
    try:
        yield
    finally:
        place.unlink()


def run_whole(here, files):
    """The same of `make test`, which finds the files itself."""
    report = here.with_suffix(".xml")
    return outcomes(here, f"make test ARGS=--junitxml={report}", report, files)


def outcomes(here, command, report, files):
    start = time.perf_counter()
    status, out, err = run(command, here)
    seconds = time.perf_counter() - start
    found = {path: Outcome() for path in files}
    if report.exists():
        for case in xml.parse(report).iter("testcase"):
            path = file_of(case, files)
            if path is None:
                continue
            found[path].tests += 1
            found[path].seconds += float(case.get("time", 0))
            for failure in [*case.findall("failure"), *case.findall("error")]:
                name = f"{path}::{case.get('name')}"
                found[path].failure = found[path].failure or f"{name}: {said(failure)}"
        report.unlink()
    failures = [outcome.failure for outcome in found.values() if outcome.failure]
    if status and not failures:
        return {}, seconds, [f"{command.split(' --junit')[0]}: {last_line(out, err)}"]
    return found, seconds, failures


def said(failure):
    return last_line((failure.get("message") or "").partition("\n")[0], "failed")


def file_of(case, files):
    """The test file that a case of pytest's report comes from; a file skipped whole is one case."""
    for name in (case.get("classname", ""), case.get("name", "")):
        parts = name.split(".")
        for end in range(len(parts), 0, -1):
            path = "/".join(parts[:end]) + ".py"
            if path in files:
                return path
    return None


def collect(here, files):
    """The names of all tests in some files."""
    command = f"{PYTEST} -o addopts=--import-mode=importlib --collect-only -q {' '.join(files)}"
    return [line for line in run(command, here)[1].splitlines() if "::" in line] if files else []


def fails_on_assertion(here, exercise):
    """None if an exercise fails as it should before it is solved, or what it shows instead."""
    status, out, err = run(f"{PYTEST} {exercise}", here)
    if status != 1 or "AssertionError" not in out:
        return last_line(out, err)
    return None


def count(shown):
    """The number of tests in what a proof showed."""
    match = re.match(r"(\d+) tests", shown)
    return int(match[1]) if match else 0
