"""Plants faults into the kernels, one at a time, and says whether the tests find them.

    python3 book/mutants.py                all faults of book/mutants.txt
    python3 book/mutants.py rows flash     only those planned at these steps, by slug
    python3 book/mutants.py --candidate    in the branch steps, not in the newest release

In book/mutants.txt "## rows" begins the faults of the step with that slug, a line each:

    file | text that stands in it once | what is written instead | test file that finds it

\\n ends a line in a text; (nothing) is an empty one. A fault is planted into the last step, or
where its text is gone there, into its own. In place of a test file "changes nothing: why" tells of
a fault that no test can find. Two run at a time. Exit status 1 where a fault is not found.
(A mutant is a program with such a fault.)
"""

import io
import re
import subprocess
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from common import ROOT, Problem, chosen_chain, environment, git, run, run_program

LIST = ROOT / "book/mutants.txt"
# A test that takes so long, and five times what it takes without a fault, has found one: it hangs.
SECONDS = 60
NOTHING = "changes nothing: "


@dataclass
class Fault:
    slug: str
    file: str
    old: str
    new: str
    test: str

    def __str__(self):
        words = f"{self.file}: {self.new or '(nothing)'} for {self.old}"
        return words.replace("\n", "\\n")


def read(text):
    """The faults of a list."""
    slug, found = None, []
    for number, line in enumerate(text.splitlines(), 1):
        if heading := re.fullmatch(r"## ([\w-]+)", line):
            slug = heading[1]
        elif line and not line.startswith("# "):
            fields = [field.strip() for field in line.split(" | ")]
            if slug is None or len(fields) != 4 or fields[1] == fields[2]:
                expected = "file | old | new | test, below a line '## slug'"
                raise Problem(f"{LIST.name}, line {number}: got '{line}'; expected {expected}")
            file, old, new, test = (field.replace("\\n", "\n") for field in fields)
            if not test.startswith(NOTHING) and not re.fullmatch(r"tests/[\w/]+\.py", test):
                expected = f"a test file, or '{NOTHING}why'"
                raise Problem(f"{LIST.name}, line {number}: got '{test}'; expected {expected}")
            found.append(Fault(slug, file, old, "" if new == "(nothing)" else new, test))
    return found


class Trees:
    """The files of steps, once each in a folder of its own."""

    def __init__(self, steps, scratch, root=ROOT):
        self.steps, self.scratch, self.root = steps, Path(scratch), root
        self.by_slug = {step.slug: step for step in steps}

    def step(self, fault):
        """Where a fault is planted."""
        if fault.slug not in self.by_slug:
            raise Problem(f"got the step {fault.slug}; expected the slug of one of the chain")
        for step in (self.steps[-1], self.by_slug[fault.slug]):
            text = git("show", f"{step.commit}:{fault.file}", root=self.root, check=False)
            if text.count(fault.old) == 1:
                return step
        raise Problem(f"got '{fault.old}'; expected a text that stands once in {fault.file}")

    def copy(self, step, name):
        """A folder with all files of a step."""
        command = ["git", "archive", step.commit]
        packed = subprocess.run(command, cwd=self.root, capture_output=True, check=True).stdout
        folder = self.scratch / name
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        return folder


def fails(folder, python, test, limit=900):
    """What a test file shows: '' if it passes."""
    command = f"{python} -m pytest -x {test}"
    if not (folder / "kernels/simulate.py").exists():  # as long as there was no simulator
        command = f"KERNELS_DEVICE=interpret {command}"
    try:
        status, out, err = run(command, folder, timeout=limit)
    except subprocess.TimeoutExpired:
        return f"took more than {limit:.0f} s"
    if status == 0:
        return ""
    lines = re.findall(r"^E +(?!\s)(.*)|^(\w*Error: .*)", out + err, re.M)
    return " ".join((lines[0][0] or lines[0][1]).split()) if lines else f"exit status {status}"


def timed(*arguments):
    """(what the test file shows without a fault, seconds)"""
    start = time.perf_counter()
    return fails(*arguments), time.perf_counter() - start


def planted(trees, python, limits, number, fault):
    """(the step, what the test showed) of one fault."""
    step = trees.step(fault)
    folder = trees.copy(step, f"fault-{number}")
    place = folder / fault.file
    place.write_text(place.read_text().replace(fault.old, fault.new))
    return step, fails(folder, python, fault.test, limits[step.tag, fault.test])


def plant(faults, trees, python):
    """Prints a line for each fault; returns how many are not found, and tests that fail anyway."""
    real = [fault for fault in faults if not fault.test.startswith(NOTHING)]
    with ThreadPoolExecutor(2) as pool:
        sound = {(trees.step(fault).tag, fault.test): trees.step(fault) for fault in real}
        jobs = {
            (tag, test): pool.submit(timed, trees.copy(step, f"sound-{n}"), python, test)
            for n, ((tag, test), step) in enumerate(sound.items())
        }
        limits, left, found = {}, 0, 0
        for (tag, test), job in jobs.items():
            shown, seconds = job.result()
            limits[tag, test] = SECONDS + 5 * seconds
            if shown:
                print(f"{test} fails at {tag} without a fault: {shown}")
                left += 1
        jobs = [pool.submit(planted, trees, python, limits, *each) for each in enumerate(real)]
        for fault, job in zip(real, jobs):
            step, shown = job.result()
            found += bool(shown)
            print(f"{'found    ' if shown else 'NOT FOUND'} {step.tag} {fault}", flush=True)
            print(f"            {fault.test}: {shown[:100]}" if shown else f"     {fault.test}")
    harmless = [fault for fault in faults if fault not in real]
    for fault in harmless:
        print(f"harmless  {fault}\n            {fault.test.removeprefix(NOTHING)}")
    print(f"{found} of {len(real)} faults found; {len(harmless)} change nothing")
    return left + len(real) - found


def main(words):
    slugs = [word for word in words if word != "--candidate"]
    faults = read(LIST.read_text())
    unknown = set(slugs) - {fault.slug for fault in faults}
    if unknown:
        raise Problem(f"got {' '.join(sorted(unknown))}; expected slugs of {LIST.name}")
    steps = chosen_chain(words)
    python = environment(steps[-1].commit, "VENV") / "bin/python"
    with tempfile.TemporaryDirectory() as scratch:
        chosen = [fault for fault in faults if not slugs or fault.slug in slugs]
        return 1 if plant(chosen, Trees(steps, scratch), python) else 0


if __name__ == "__main__":
    run_program(main)
