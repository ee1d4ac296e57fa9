"""Proves the tutorial: every step's tests, numbers, transcripts, budget, exercises and bug.

    python3 book/check.py                   the newest release, with the book of HEAD: what
                                            book/proven does not hold, and a tenth again
    python3 book/check.py --all             proves everything anew
    python3 book/check.py 03..05            only these steps
    python3 book/check.py --candidate       the branch steps and the book as it lies here;
                                            writes book/proven
    python3 book/check.py --record [03]     writes what the commands print into STEPS.md,
                                            README.md, and all that front.py makes,
                                            from --candidate

Steps run two at a time, each in a scratch clone of its own. Exit status 1 if a step is not green.
"""

import builtins
import math
import re
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import keys
import suite
import transcripts
from common import (
    EXPECTED,
    NUMBER,
    PROVEN,
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
    read_chain,
    release_at,
    run,
)
from front import held_out, stale, write_pages
from parts import Parts, Plan
from pictures import stale_pictures
from proofs import Proven, installed, processor, versions
from rules import check_imports
from training import trained

USUAL_BUDGET, HARD_LIMIT, MEDIAN_LIMIT = 120, 200, 140
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
READMES = ("README.md", "book/README.md")  # for readers, for whoever mends


@dataclass
class Result:
    """What the proof of one step found."""

    tag: str
    problems: list = field(default_factory=list)
    tests: int = 0
    ran: int = 0
    test_seconds: float = 0.0
    train_seconds: float = 0.0
    expected: str = ""
    lines: int = 0
    budget: int = USUAL_BUDGET
    skipped: int = 0
    section: str = ""

    @property
    def held_out(self):
        return held_out(self.expected)

    def line(self):
        state = "red" if self.problems else "ok "
        return (
            f"{self.tag} {state} · {self.tests} tests, {self.ran} files now in "
            f"{self.test_seconds:.1f} s · held-out {self.held_out} · "
            f"trained in {self.train_seconds:.1f} s · {self.lines} lines of {self.budget}"
        )


class Check:
    """The proof of the steps of one commit of main (`main`), in scratch clones under `scratch`.

    `everything`: trusts no proof made before; `tenth`: nor any of the steps that chance picks.
    """

    def __init__(self, main, scratch, root=ROOT, everything=False, tenth=False):
        self.root, self.scratch, self.cache = root, Path(scratch), cache(root)
        self.clone = clone_at(main, self.scratch / "main", root)
        self.steps = read_chain(release_at(main, root)[1], root)
        self.sizes = diff_sizes(self.steps, root)
        self.book = (self.clone / "STEPS.md").read_text() if self.has("STEPS.md") else ""
        self.everything = everything
        self.again = a_tenth(main, len(self.steps)) if tenth else set()
        self.spent, self.trees = [], {}

    def has(self, path):
        return (self.clone / path).exists()

    @cached_property
    def proven(self):
        """The proofs that the commit holds, and those made in this clone."""
        local = self.cache / "proven"
        last = self.steps[-1]
        toml = git("show", f"{last.commit}:pyproject.toml", root=self.root)
        proven = Proven(versions(self.environment(last, "VENV"), toml), processor(), local)
        if self.has(PROVEN):
            proven.read((self.clone / PROVEN).read_text())
        if local.exists():
            proven.read(local.read_text(), str(local))
        return proven

    def prove(self, numbers, recording=False):
        """The Results of these steps, two at a time, each printed when its turn comes."""
        steps = [step for step in self.steps if step.number in numbers]
        plans = self.plans(steps)
        with ThreadPoolExecutor(2) as pool:
            jobs = [
                pool.submit(self.prove_step, step, plans[step.tag], recording) for step in steps
            ]
            results = []
            for step, job in zip(steps, jobs):
                results.append(job.result())
                results[-1].problems += self.parts(step, plans[step.tag], results[-1]).catch_up()
                self.count_tests(step, plans[step.tag], results[-1])
                print(results[-1].line(), flush=True)
                for problem in results[-1].problems:
                    print("  " + problem.replace("\n", "\n  "), flush=True)
        return results

    def plans(self, steps):
        """{tag: Plan}: a test file of the same key runs at the first step that needs it."""
        plans, taken = {}, set()
        for step in steps:
            plan = plans[step.tag] = Plan(self.tree(step), step.number in self.again)
            plan.whole = plan.again or self.needs_whole(step)
            plan.keys = self.test_keys(plan.tree, short=not plan.whole)
            whole = self.test_keys(plan.tree, short=False)
            plan.keys |= {path: key for path, key in whole.items() if self.known(step, key)}
            for path, key in plan.keys.items():
                if plan.whole or (key not in taken and not self.known(step, key)):
                    plan.files.append(path)
                    taken.add(key)
            for path in plan.tree.interpreted():
                key = self.proven.key("interpreted", plan.tree.test_keys[path])
                plan.interpreted_keys[path] = key
                if key not in taken and not self.known(step, key):
                    plan.interpreted.append(path)
                    taken.add(key)
        return plans

    def tree(self, step):
        if step.tag not in self.trees:
            self.trees[step.tag] = self.read_tree(step.commit)
        return self.trees[step.tag]

    def read_tree(self, name, changes=()):
        return keys.Tree(name, self.clone, changes, self.packages)

    @cached_property
    def packages(self):
        """{name: version} of what only those tests depend on that import it."""
        found = installed(self.environment(self.steps[-1], "VENV"))
        return {"triton": found["triton"]} if "triton" in found else {}

    def test_keys(self, tree, short=True):
        """{test file: the key of its proof}; short: without what is on demand, where that does."""
        found = {path: self.proven.key("tests", key) for path, key in tree.test_keys.items()}
        for path, key in tree.short_keys.items() if short else ():
            if not self.proven.trust(self.proven.key("on demand", key), fresh=False):
                found[path] = self.proven.key("tests", key)
        return found

    def known(self, step, key):
        """The proof of this key, if one is trusted at this step."""
        return self.proven.trust(key, fresh=self.everything or step.number in self.again)

    def needs_whole(self, step):
        """make test itself runs at the first step of each act and at the last step."""
        ends = self.begins_act(step) or step.number == len(self.steps) - 1
        return ends and not self.known(step, self.whole_key(step))

    def begins_act(self, step):
        return step.number == 0 or "Ends" in self.steps[step.number - 1].trailers

    def whole_key(self, step, kind="make test"):
        tree = git("rev-parse", f"{step.commit}^{{tree}}", root=self.root).strip()
        return self.proven.key(kind, tree)

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

    def furnish(self, step, here):
        """Gives a scratch clone the environment of its step, which is made when it is needed."""
        if not (here / ".venv").is_symlink():
            (here / ".venv").symlink_to(self.environment(step, "VENV"))
        return here

    def section(self, step):
        match = re.search(
            rf'^<a id="{step.tag}"></a>\n.*?(?=^<a id="|\Z)',
            self.book,
            re.M | re.S,
        )
        return match[0] if match else ""

    def patches(self, step):
        return sorted((self.clone / "book/solutions").glob(f"{step.number:02d}-*.patch"))

    def prove_step(self, step, plan, recording):
        result = Result(step.tag, lines=self.sizes[step.number], section=self.section(step))
        here = self.sandbox(step, step.tag)
        problems = result.problems
        problems += self.check_message(step, result)
        problems += check_imports(here, dependencies(step.commit, self.root))
        problems += self.check_lint(step, here)
        parts = self.parts(step, plan, result)
        if recording:
            problems += parts.suite() + parts.retired()
            return self.record(step, here, result)
        problems += self.check_section(step, here, result)
        problems += parts.problems()
        return result

    def parts(self, step, plan, result):
        return Parts(self, step, plan, self.scratch / step.tag, result)

    def record(self, step, here, result):
        """The section with what its commands print now, make train among them."""
        try:
            output, result.train_seconds, _ = trained(
                step.commit, self.furnish(step, here), self.root
            )
        except Problem as problem:
            result.problems.append(str(problem))
            return result
        result.expected = transcripts.settled(self.expected(step), output, self.arrays(step))
        known = {"make train": output}
        result.section = transcripts.record(result.section, here, known, self.arrays(step))
        return result

    def expected(self, step):
        return git("show", f"{step.commit}:{EXPECTED}", root=self.root, check=False)

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

    def count_tests(self, step, plan, result):
        """The tests of a step, once every earlier step is done; those that failed there fail."""
        for path, key in [*plan.keys.items(), *plan.interpreted_keys.items()]:
            proof = self.proven.trust(key, fresh=False)
            if proof:
                result.tests += suite.count(proof.shown)
            elif path not in [*plan.files, *plan.interpreted]:
                result.problems.append(f"{path} fails, as it did at an earlier step")

    def check_section(self, step, here, result):
        """Headings, length, and that every path, test and function named exists."""
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
        if not 350 <= words <= 2500:
            problems.append(f"the section has {words} words; expected 350 to 2,500")
        result.skipped = len(transcripts.not_run(section))
        problems += self.check_quotes(section, step)
        return problems + self.check_names(section, here, self.arrays(step))

    def check_quotes(self, section, step):
        """Quoted Python stands in this step's code, or in that of the step before."""
        quoted = "".join(re.findall(r"^```python\n(.*?)^```", section, re.M | re.S))
        trees = self.tree(step), self.read_tree(f"{step.commit}~")
        code = [tree.text(path) for tree in trees for path in tree.files if path.endswith(".py")]
        lines = {line.strip() for text in code for line in text.splitlines()} | {""}
        wrong = [line.strip() for line in quoted.splitlines() if line.strip() not in lines]
        return [f"quotes {line!r}, which stands nowhere" for line in wrong if "…" not in line]

    def check_names(self, text, here, arrays=True):
        prose = transcripts.FENCE.sub("", text)
        code = "\n".join(p.read_text() for p in here.glob("[emkt]*/**/*.py"))
        code += (here / "steps.py").read_text()
        defined = set(re.findall(r"(?:def|class) (\w+)", code)) | set(dir(builtins))
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
        defined |= self.numpy_names if arrays else set()
        rules = re.findall(r"^([\w -]+):", (here / "Makefile").read_text(), re.M)
        targets = {target for rule in rules for target in rule.split()}
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
            elif (match := re.match(r"make (\w+)", name)) and match[1] not in targets:
                problems.append(f"`{name}`: no such target")
        return problems

    @cached_property
    def numpy_names(self):
        """The names in numpy and of an array's methods."""
        python = "bin/python -c 'import numpy; print(*dir(numpy), *dir(numpy.ndarray))'"
        return set(run(python, self.environment(self.steps[-1], "VENV"))[1].split())


def lint(ruff, folder):
    command = f"{ruff} format --no-cache --check . && {ruff} check --no-cache ."
    status, out, _ = run(command, folder)
    return [f"lint: {out.strip()}"] if status else []


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


def short_way(book, steps):
    """The table below **The short way.** has each step once: on it, by its trailer, or beside."""
    table = book.partition('<a id="short-way"></a>')[2].partition("\n\n|")[2].partition("\n\n")[0]
    problems = []
    on, beside = set(), set()
    for row in table.splitlines()[2:]:
        _, _, short, _, others, _ = row.split("|")
        on |= numbers_in(short)
        for words in re.findall(r"((?:\d\d(?:–\d\d)?(?:, )?)+):", others):
            beside |= numbers_in(words)
    for step in steps if table else ():
        short = step.trailers.get("Short-way") == "yes"
        expected = "on the short way" if short else "beside it"
        if step.number not in (on - beside if short else beside - on):
            problems.append(f"STEPS.md, the short way: {step.tag} is not {expected}")
    return problems


def lists_by_chance(book):
    """Lines of a paragraph that begin like an item of a list, as "1. The slopes", and show so."""
    text = transcripts.FENCE.sub(lambda match: "\n" * match[0].count("\n"), book)
    lines, found = text.split("\n"), []
    for number, (before, line) in enumerate(zip(lines, lines[1:]), 2):
        begins = re.match(r"(\d+\.|[-+*]|#+|>) ", line) and before.strip()
        if begins and not re.match(r"\s*(\d+\.|[-+*]|\||>|<)|  |\*\*Try it", before):
            found.append(f"STEPS.md, line {number}, begins like an item of a list: {line[:40]}")
    return found


def open_fences(book):
    """Lines that should end a block of code and do not: behind ``` there is a text."""
    found, inside = [], False
    for number, line in enumerate(book.split("\n"), 1):
        if line.startswith("```"):
            if inside and line.strip() != "```":
                found.append(f"STEPS.md, line {number}, does not end its block: {line[:40]}")
            inside = not inside
    return found


def numbers_in(text):
    """{0, 1, 2, 6} of "00–02, 06"."""
    ranges = re.findall(r"(\d\d)(?:–(\d\d))?", text)
    return {n for first, last in ranges for n in range(int(first), int(last or first) + 1)}


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
    check.furnish(check.steps[-1], here)
    for name in READMES:
        text = (check.clone / name).read_text()
        found = transcripts.check(text, here) + check.check_names(text, check.clone)
        problems += [f"{name}: {line}" for line in found]
    front = check.book.split('<a id="step-00">')[0]
    problems += [f"STEPS.md: {line}" for line in transcripts.check(front, here)]
    problems += short_way(check.book, check.steps)
    problems += lists_by_chance(check.book) + open_fences(check.book)
    for name in sorted(set(re.findall(r"\]\(#([\w-]+)\)", check.book))):
        if f'<a id="{name}"></a>' not in check.book:
            problems.append(f"STEPS.md links to #{name}, which is nowhere")
    ruff = check.environment(check.steps[-1], "LINT_VENV") / "bin/ruff"
    return problems + lint(ruff, check.clone)


def a_tenth(head, count):
    """One of every ten steps, by the hash of main's head: other ones whenever main moves."""
    tens = [range(start, min(start + 10, count)) for start in range(0, count, 10)]
    return {max(ten, key=lambda number: digest(head, number)) for ten in tens}


def check_commit(main, words=(), root=ROOT, keep=None, everything=False, tenth=False):
    """Proves the steps of a commit of main; the number of problems. Prints a line a step.

    `keep` is given the text of book/proven as it should be now.
    """
    with tempfile.TemporaryDirectory() as scratch:
        check = Check(main, scratch, root, everything, tenth)
        numbers = numbers_from(list(words), len(check.steps))
        results = check.prove(numbers)
        problems = stale(check.clone, check.steps, root)
        problems += stale_pictures(check.clone, check.steps, root)
        whole = len(numbers) == len(check.steps)
        if whole:
            problems += check_main(check)
            median = statistics.median(check.sizes.values())
            print(f"median diff {median:g} lines, largest {max(check.sizes.values())}")
            if median > MEDIAN_LIMIT:
                problems.append(f"median diff {median:g} lines; expected at most {MEDIAN_LIMIT}")
        for problem in problems:
            print("main: " + problem)
        print_trust(check)
        skipped = sum(result.skipped for result in results)
        for name in READMES:
            skipped += len(transcripts.not_run((check.clone / name).read_text()))
        green = sum(not result.problems for result in results)
        print(f"{green} of {len(results)} tags green; {skipped} transcripts marked as not run")
        red = len(results) - green + len(problems)
        if keep:
            keep(check.proven.text(whole and not red))
        return red


def print_trust(check):
    """What was not run, and by whom it was proven; what was run again; what took the time."""
    again = ", ".join(f"{number:02d}" for number in sorted(check.again))
    if again:
        print(f"proven again, chosen by the hash of main's head: {again}")
    trusted = check.proven.trusted()
    for by in sorted({proof.by for proof in trusted}):
        proofs = [proof for proof in trusted if proof.by == by]
        _, packages, machine = check.proven.heads[by].split(" | ")
        seconds = math.fsum(proof.seconds for proof in proofs)
        print(f"taken on trust: {len(proofs)} proofs, {seconds:.0f} s, on {machine}, {packages}")
    if others := check.proven.others:
        print(f"not trusted: {others} proofs that other versions than these have made")
    print(f"proven now: {len(check.proven.made)} proofs{'; the slowest:' if check.spent else ''}")
    for seconds, what in sorted(check.spent, reverse=True)[:10]:
        print(f"  {seconds:6.1f} s  {what}")


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
            check.furnish(check.steps[-1], here)
            (root / "README.md").write_text(transcripts.record(readme, here))
            front, mark, rest = text.partition('<a id="step-00">')
            text = transcripts.record(front, here) + mark + rest
        (root / "STEPS.md").write_text(text)
        write_pages(root, {result.tag: result.train_seconds for result in results})
        return sum(len(result.problems) for result in results)


def main(words, root=ROOT):
    options = {word for word in words if word.startswith("--")}
    words = [word for word in words if word not in options]
    try:
        if len(options) > 1 or not options <= {"--all", "--candidate", "--record"}:
            expected = "expected one of --all, --candidate, --record"
            raise Problem(f"got {' '.join(sorted(options))}; {expected}")
        if "--record" in options:
            return 1 if record(words, root) else 0
        if "--candidate" in options:
            keep = (root / PROVEN).write_text
            return 1 if check_commit(candidate(root), words, root, keep) else 0
        head = git("rev-parse", "HEAD", root=root).strip()
        tenth = not words
        return 1 if check_commit(head, words, root, None, "--all" in options, tenth) else 0
    except Problem as problem:
        print(f"check.py: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
