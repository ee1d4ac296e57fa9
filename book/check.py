"""Proves the tutorial: every step's tests, numbers, transcripts, budget, exercises and bug.

    python3 book/check.py                   all steps of the newest release, with the book of HEAD
    python3 book/check.py 03..05            only these steps
    python3 book/check.py --candidate       the branch steps and the book as it lies here
    python3 book/check.py --record [03]     writes what the commands print into STEPS.md,
                                            README.md, and all that front.py makes,
                                            from --candidate

Steps run two at a time, each in a scratch clone of its own. A step already proven in this clone
(same code, section, patches, checker and versions) is not run again. Exit status 1 if a step
is not green.
"""

import ast
import json
import re
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import transcripts
from common import (
    EXPECTED,
    NUMBER,
    ROOT,
    Problem,
    cache,
    candidate,
    clone_at,
    dependencies,
    diff_sizes,
    digest,
    environment,
    git,
    is_array_step,
    last_line,
    read_chain,
    release_at,
    run,
    trained,
)
from front import held_out, stale, write_pages

USUAL_BUDGET, HARD_LIMIT, MEDIAN_LIMIT = 120, 200, 90
HEADINGS = [
    "Idea",
    "You need",
    "Why now",
    "How it works",
    "Read the diff",
    "Run it",
    "Check it",
]
HEADINGS += ["Try it", "Sources", "Next"]
BUG = re.compile(r"In `([^`]+)`,? write `([^`]+)` for `([^`]+)`[:;] `(tests/[^`]+)` fails")
# What engine/ and model/gpt.py may import besides the project, and engine/ of array steps too.
ARITHMETIC = {"math", "random"}
SYSTEM = {"contextlib", "ctypes", "functools", "os"}
SYSTEM |= {"mmap", "multiprocessing", "signal", "weakref"}  # two processes that share memory
READMES = ("README.md", "book/README.md")  # for readers, for whoever mends
REFERENCE = {"torch_gpt.py"}  # the opponent in the race: not of the project, and not needed


@dataclass
class Result:
    """What the proof of one step found."""

    tag: str
    problems: list = field(default_factory=list)
    tests: list = field(default_factory=list)
    test_seconds: float = 0.0
    train_seconds: float = 0.0
    expected: str = ""
    lines: int = 0
    budget: int = USUAL_BUDGET
    skipped: int = 0
    cached: bool = False
    section: str = ""

    @property
    def held_out(self):
        return held_out(self.expected)

    def line(self):
        state = "red" if self.problems else "ok "
        return (
            f"{self.tag} {state} · {len(self.tests)} tests in {self.test_seconds:.1f} s · "
            f"held-out {self.held_out} · trained in {self.train_seconds:.1f} s · "
            f"{self.lines} lines of {self.budget}" + (" · proven before" if self.cached else "")
        )


class Check:
    """The proof of the steps of one commit of main (`main`), in scratch clones under `scratch`."""

    def __init__(self, main, scratch, root=ROOT):
        self.root, self.scratch, self.cache = root, Path(scratch), cache(root)
        self.clone = clone_at(main, self.scratch / "main", root)
        self.steps = read_chain(release_at(main, root)[1], root)
        self.sizes = diff_sizes(self.steps, root)
        self.book = (self.clone / "STEPS.md").read_text() if self.has("STEPS.md") else ""
        names = ("check.py", "common.py", "transcripts.py")
        tools = [(self.clone / "book" / name).read_text() for name in names]
        self.tools = digest(sys.version, *tools)

    def has(self, path):
        return (self.clone / path).exists()

    def prove(self, numbers, recording=False):
        """The Results of these steps, two at a time, each printed when its turn comes."""
        for step in self.steps:  # environments first: pip only before the tags run
            if step.number in numbers:
                self.environment(step, "VENV")
                self.environment(step, "LINT_VENV")
        with ThreadPoolExecutor(2) as pool:
            jobs = [
                pool.submit(self.prove_step, step, recording)
                for step in self.steps
                if step.number in numbers
            ]
            results = []
            for job in jobs:
                results.append(job.result())
                print(results[-1].line(), flush=True)
                for problem in results[-1].problems:
                    print("  " + problem.replace("\n", "\n  "), flush=True)
        return results

    def environment(self, step, kind):
        return environment(step.commit, kind, self.root)

    def arrays(self, step):
        return is_array_step(step.commit, self.root)

    def sandbox(self, step, name):
        """A scratch clone in which `step` is checked out."""
        folder = self.scratch / name
        git("clone", "--shared", "-q", str(self.clone), str(folder), root=self.clone)
        git("switch", "--detach", "-q", step.commit, root=folder)
        return folder

    def section(self, step):
        match = re.search(
            rf'^<a id="{step.tag}"></a>\n.*?(?=^<a id="|\Z)',
            self.book,
            re.M | re.S,
        )
        return match[0] if match else ""

    def patches(self, step):
        return sorted((self.clone / "book/solutions").glob(f"{step.number:02d}-*.patch"))

    def prove_step(self, step, recording):
        result = Result(step.tag, lines=self.sizes[step.number], section=self.section(step))
        key = self.key(step, result.section)
        proof = self.cache / f"proof-{key}.json"
        if proof.exists() and not recording:
            kept = json.loads(proof.read_text())
            return Result(**{**kept, "cached": True})
        here = self.sandbox(step, step.tag)
        environment = self.environment(step, "VENV")
        (here / ".venv").symlink_to(environment)
        problems = result.problems
        problems += self.check_message(step, result)
        problems += check_imports(here, dependencies(step.commit, self.root))
        problems += self.check_lint(step, here)
        problems += self.check_suite(step, here, result)
        output = self.train(step, here, result)
        if result.expected != self.expected(step):
            problems.append(f"{EXPECTED} differs from what make train prints:\n{result.expected}")
        if recording:
            known = {"make train": output}
            result.section = transcripts.record(result.section, here, known, self.arrays(step))
            return result
        problems += self.check_section(step, here, result, output)
        git("switch", "--detach", "-q", step.commit, root=here)
        problems += self.check_bug(step, here, result)
        problems += self.check_exercises(step, here, result)
        if not problems:
            proof.write_text(json.dumps(vars(result)))
        return result

    def key(self, step, section):
        whole = [s.commit for s in self.steps] if re.search(r"steps\.py|git ", section) else []
        parent = git("rev-parse", f"{step.commit}^^{{tree}}", root=self.root)
        message = git("show", "-s", "--format=%B%T", step.commit, root=self.root)
        patches = [path.read_text() for path in self.patches(step)]
        return digest(message, parent, section, self.tools, *patches, *whole)

    def expected(self, step):
        return git("show", f"{step.commit}:{EXPECTED}", root=self.root, check=False)

    def train(self, step, here, result):
        """What make train prints at this step; a tree trained in this clone before is not again."""
        try:
            output, result.train_seconds, _ = trained(step.commit, here, self.root)
        except Problem as problem:
            result.problems.append(str(problem))
            return ""
        result.expected = transcripts.settled(self.expected(step), output, self.arrays(step))
        return output

    def check_message(self, step, result):
        """The budget, the trailers and the length of the commit message."""
        problems = []
        result.budget = int(step.trailers.get("Budget", USUAL_BUDGET))
        if result.lines > result.budget:
            problems.append(f"{result.lines} lines changed; expected at most {result.budget}")
        if result.budget > HARD_LIMIT and "Reason" not in step.trailers:
            problems.append(f"a budget above {HARD_LIMIT} needs a trailer 'Reason: …'")
        body = git("show", "-s", "--format=%b", step.commit, root=self.root).split("\nStep: ")[0]
        lines = [line for line in body.splitlines() if line]
        if not 5 <= len(lines) <= 15:
            problems.append(f"the commit's body has {len(lines)} lines; expected 5 to 15")
        if len(f"{step.tag}: {step.title}") > 60:
            problems.append("the commit's subject is longer than 60 characters")
        number = git("show", f"{step.commit}:{NUMBER}", root=self.root, check=False)
        if f'"{step.tag}"' not in number:
            problems.append(f"{NUMBER} says {number.strip()}; expected {step.tag}")
        return problems

    def check_lint(self, step, here):
        ruff = self.environment(step, "LINT_VENV") / "bin/ruff"
        return lint(ruff, here)

    def check_suite(self, step, here, result):
        """make test passes; every test of the step before is still there, unless retired."""
        start = time.perf_counter()
        status, out, err = run("make test", here)
        result.test_seconds = time.perf_counter() - start
        problems = [f"make test: {last_line(out, err)}\n{out[-2000:]}"] if status else []
        result.tests = self.collect(here)
        if step.number:
            before = self.sandbox(self.steps[step.number - 1], f"{step.tag}-before")
            (before / ".venv").symlink_to(self.environment(self.steps[step.number - 1], "VENV"))
            retired = step.trailers.get("Retires", "")
            for name in sorted(set(self.collect(before)) - set(result.tests)):
                if name.split("::")[-1].split("[")[0] not in retired:
                    problems.append(f"the test {name} is gone; expected it, or a trailer Retires")
        if step.number == 0 or "Ends" in self.steps[step.number - 1].trailers:
            fresh = self.sandbox(step, f"{step.tag}-fresh")
            status, out, err = run("make test", fresh)
            if status:
                problems.append(f"make test from nothing: {last_line(out, err)}")
        return problems

    def collect(self, here):
        _, out, _ = run(
            ".venv/bin/python -m pytest -o addopts=--import-mode=importlib --collect-only -q tests",
            here,
        )
        return [line for line in out.splitlines() if "::" in line]

    def check_section(self, step, here, result, output):
        """Headings, length, transcripts, and that every path, test and function named exists."""
        section = result.section
        if not section:
            return [f"STEPS.md has no section about {step.tag}"]
        problems = []
        if f"\n## {step.tag} · {step.title}\n" not in section:
            problems.append(f"the section's heading is not '## {step.tag} · {step.title}'")
        headings = [h for h in re.findall(r"^\*\*(.+?)\.\*\*", section, re.M) if h in HEADINGS]
        if headings != HEADINGS:
            problems.append(f"headings: got {headings}; expected {HEADINGS}")
        words = len(section.split())
        if not 350 <= words <= 1000:
            problems.append(f"the section has {words} words; expected 400 to 900")
        result.skipped = len(transcripts.not_run(section))
        known = {"make train": output}
        problems += transcripts.check(section, here, known, self.arrays(step))
        return problems + self.check_names(section, here)

    def check_names(self, text, here):
        prose = transcripts.FENCE.sub("", text)
        code = "\n".join(p.read_text() for p in here.glob("[emkt]*/**/*.py"))
        code += (here / "steps.py").read_text()
        defined = set(re.findall(r"(?:def|class) (\w+)", code)) | set(dir(__builtins__))
        defined |= set(dir(str)) | {
            "exp",
            "log",
            "sqrt",
            "fsum",
            "tanh",
            "sin",
            "cos",
            "choices",
        }
        defined |= numpy_names(here)
        targets = set(re.findall(r"^(\w+):", (here / "Makefile").read_text(), re.M))
        problems = []
        for name in re.findall(r"`([^`\n]+)`", prose):
            path, _, test = name.partition("::")
            if re.fullmatch(r"[\w./-]+\.(py|txt|md|json|toml|svg|patch|mk)", path):
                place = next((r for r in (here, self.clone) if (r / path).exists()), None)
                if not place:
                    problems.append(f"`{name}` does not exist")
                elif test and f"def {test.split('[')[0]}(" not in (place / path).read_text():
                    problems.append(f"`{name}`: no such test")
            elif re.fullmatch(r"test_\w+", name) and name not in defined:
                problems.append(f"`{name}`: no such test")
            elif match := re.fullmatch(r"(?:\w+\.)*(\w+)\([^()]*\)", name):
                if match[1] not in defined:
                    problems.append(f"`{name}`: no such function")
            elif match := re.match(r"make (\w+)", name):
                if match[1] not in targets:
                    problems.append(f"`{name}`: no such target")
        return problems

    def check_bug(self, step, here, result):
        """The bug of one character that the section names makes the test that it names fail."""
        bugs = BUG.findall(" ".join(result.section.split()))
        if not bugs:
            return ["no one-character bug: expected In `file`, write `x` for `y`: `tests/…` fails"]
        problems = []
        for path, new, old, test in bugs:
            text = (here / path).read_text()
            if text.count(old) != 1:
                problems.append(
                    f"bug: `{old}` stands {text.count(old)} times in {path}; expected 1"
                )
                continue
            if not one_character_apart(old, new):
                problems.append(f"bug: `{old}` and `{new}` differ by more than one character")
            (here / path).write_text(text.replace(old, new))
            status, out, err = run(f".venv/bin/python -m pytest -x {test}", here)
            (here / path).write_text(text)
            if status != 1:
                problems.append(f"bug in {path}: {test} does not fail: {last_line(out, err)}")
        return problems

    def check_exercises(self, step, here, result):
        """An exercise fails on its assertion; with its patch it and the whole suite pass."""
        problems = []
        show = git(
            "show",
            "--name-only",
            "--diff-filter=A",
            "--format=",
            step.commit,
            root=here,
        )
        exercises = [line for line in show.split() if line.startswith("tests/exercises/test_")]
        patches = {path.name: path for path in self.patches(step)}
        for exercise in exercises:
            slug = exercise.split("test_")[1].removesuffix(".py").replace("_", "-")
            patch = patches.pop(f"{step.number:02d}-{slug}.patch", None)
            status, out, err = run(f".venv/bin/python -m pytest {exercise}", here)
            if status != 1 or "AssertionError" not in out:
                problems.append(f"{exercise} does not fail on an assertion: {last_line(out, err)}")
            if exercise not in result.section:
                problems.append(f"{exercise} is not named in the section")
            if not patch:
                problems.append(f"book/solutions/{step.number:02d}-{slug}.patch is missing")
                continue
            command = f"git apply {patch} && .venv/bin/python -m pytest {exercise} && make test"
            status, out, err = run(command, here)
            if status:
                problems.append(f"{patch.name}: {last_line(out, err)}")
            problems += [f"{patch.name}: {line}" for line in self.check_lint(step, here)]
            git("reset", "--hard", "-q", root=here)
        return problems + [f"{name} belongs to no exercise of {step.tag}" for name in patches]


def lint(ruff, folder):
    command = f"{ruff} format --no-cache --check . && {ruff} check --no-cache ."
    status, out, _ = run(command, folder)
    return [f"lint: {out.strip()}"] if status else []


def check_imports(here, declared):
    """model -> engine -> kernels; outside modules only as pyproject.toml declares them."""
    below = {
        "model": {"model", "engine", "kernels"},
        "engine": {"engine", "kernels"},
    }
    problems = []
    for path in sorted(here.glob("[emk]*/*.py")):
        folder = path.parent.name
        allowed = below.get(folder, {"kernels"}) | declared
        if folder == "model" and path.name != "gpt.py":
            allowed |= set(sys.stdlib_module_names)
        elif folder != "model" and "numpy" in declared:
            allowed |= ARITHMETIC | SYSTEM
        else:
            allowed |= ARITHMETIC
        allowed |= {"torch"} if path.name in REFERENCE else set()
        foreign = [name for name in imported(path) if name not in allowed]
        problems += [f"{folder}/{path.name} imports {name}" for name in foreign]
    return problems


def imported(path):
    """The top-level names of the modules that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    return sorted(names)


def numpy_names(folder):
    """The names in numpy and of an array's methods, where the folder's environment has numpy."""
    python = ".venv/bin/python -c 'import numpy; print(*dir(numpy), *dir(numpy.ndarray))'"
    return set(run(python, folder)[1].split())


def one_character_apart(a, b):
    if len(a) == len(b):
        return sum(x != y for x, y in zip(a, b)) == 1
    long, short = sorted((a, b), key=len, reverse=True)
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def numbers_from(words, count):
    if not words:
        return list(range(count))
    match = re.fullmatch(r"([0-9][0-9]?)(?:\.\.([0-9][0-9]?))?", words[0])
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
    if len(words) > 1 or not first <= last < count:
        raise Problem(f"got '{' '.join(words)}'; expected steps such as 03 or 03..05")
    return list(range(first, last + 1))


def missing_parts(first, readme):
    """The title and the headings of the tags' README.md whose parts main's does not hold whole."""
    head, *parts = re.split(r"^(?=## )", first, flags=re.M)
    title = head.splitlines()[0]
    lacking = [] if readme.startswith(f"{title}\n") else [title]
    return lacking + [part.splitlines()[0] for part in parts if part.strip() not in readme]


def check_main(check):
    """README.md on main: its transcripts, its names, and that it holds the tags' README."""
    problems = []
    readme = (check.clone / "README.md").read_text()
    first = git("show", f"{check.steps[-1].commit}:README.md", root=check.root)
    for heading in missing_parts(first, readme):
        problems.append(f"README.md lacks the part '{heading}' of the tags' README.md")
    for step in check.steps:
        if git("show", f"{step.commit}:README.md", root=check.root) != first:
            problems.append(f"README.md at {step.tag} differs from the last step's")
    here = check.sandbox(check.steps[-1], "readme")
    git("switch", "-q", "main", root=here)
    (here / ".venv").symlink_to(check.environment(check.steps[-1], "VENV"))
    for name in READMES:
        text = (check.clone / name).read_text()
        found = transcripts.check(text, here) + check.check_names(text, check.clone)
        problems += [f"{name}: {line}" for line in found]
    front = check.book.split('<a id="step-00">')[0]
    problems += [f"STEPS.md: {line}" for line in transcripts.check(front, here)]
    for name in sorted(set(re.findall(r"\]\(#([\w-]+)\)", check.book))):
        if f'<a id="{name}"></a>' not in check.book:
            problems.append(f"STEPS.md links to #{name}, which is nowhere")
    ruff = check.environment(check.steps[-1], "LINT_VENV") / "bin/ruff"
    return problems + lint(ruff, check.clone)


def check_commit(main, words=(), root=ROOT):
    """Proves the steps of a commit of main; the number of problems. Prints a line a step."""
    with tempfile.TemporaryDirectory() as scratch:
        check = Check(main, scratch, root)
        numbers = numbers_from(list(words), len(check.steps))
        results = check.prove(numbers)
        problems = stale(check.clone, check.steps, root)
        if len(numbers) == len(check.steps):
            problems += check_main(check)
            median = statistics.median(check.sizes.values())
            print(f"median diff {median:g} lines, largest {max(check.sizes.values())}")
            if median > MEDIAN_LIMIT:
                problems.append(f"median diff {median:g} lines; expected at most {MEDIAN_LIMIT}")
        for problem in problems:
            print("main: " + problem)
        skipped = sum(result.skipped for result in results)
        for name in READMES:
            skipped += len(transcripts.not_run((check.clone / name).read_text()))
        green = sum(not result.problems for result in results)
        print(f"{green} of {len(results)} tags green; {skipped} transcripts marked as not run")
        return len(results) - green + len(problems)


def record(words, root=ROOT):
    """Writes into STEPS.md and README.md what their commands print, and what front.py makes."""
    with tempfile.TemporaryDirectory() as scratch:
        check = Check(candidate(root), scratch, root)
        numbers = numbers_from(words, len(check.steps))
        results = check.prove(numbers, recording=True)
        text = (root / "STEPS.md").read_text()
        for result, number in zip(results, numbers):
            text = text.replace(check.section(check.steps[number]), result.section)
        if len(numbers) == len(check.steps):
            readme = (root / "README.md").read_text()
            here = check.sandbox(check.steps[-1], "readme")
            git("switch", "-q", "main", root=here)
            (here / ".venv").symlink_to(check.environment(check.steps[-1], "VENV"))
            (root / "README.md").write_text(transcripts.record(readme, here))
            front, mark, rest = text.partition('<a id="step-00">')
            text = transcripts.record(front, here) + mark + rest
        (root / "STEPS.md").write_text(text)
        write_pages(root, {result.tag: result.train_seconds for result in results})
        return sum(len(result.problems) for result in results)


def main(words):
    try:
        if "--record" in words:
            words.remove("--record")
            return 1 if record(words) else 0
        if "--candidate" in words:
            words.remove("--candidate")
            return 1 if check_commit(candidate(), words) else 0
        return 1 if check_commit(git("rev-parse", "HEAD").strip(), words) else 0
    except Problem as problem:
        print(f"check.py: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
