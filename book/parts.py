"""The parts of a step's proof that run its code: tests, training, transcripts, bug, exercises.

Each part has a key (book/keys.py). A part whose key is proven is not run.
"""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import keys
import suite
import transcripts
from common import EXPECTED, Problem, git, git_with, last_line, run
from rules import one_character_apart
from training import as_printed, first_losses, forget, same_run, trained

COMPILED = "tests/kernels/test_compiled.py"
BUG = re.compile(r"In `([^`]+)`,? write `([^`]+)` for `([^`]+)`[:;] `(tests/[^`]+)` fails")


def patched_files(patch):
    """The files that a patch changes or makes."""
    return re.findall(r"^\+\+\+ b/(\S+)", patch.read_text(), re.M)


@dataclass
class Plan:
    """What of a step's tests has to run; what other steps of this run prove for it is left out."""

    tree: keys.Tree
    again: bool  # proven whole, as if nothing had been proven before
    whole: bool = False  # by make test
    keys: dict = field(default_factory=dict)  # {test file: the key of its proof}
    files: list = field(default_factory=list)
    interpreted_keys: dict = field(default_factory=dict)
    interpreted: list = field(default_factory=list)  # in Triton's interpreter


class Parts:
    """The parts of one step; `check` holds what all steps share, `here` is a scratch clone."""

    def __init__(self, check, step, plan, here, result):
        self.check, self.step, self.plan, self.here, self.result = check, step, plan, here, result
        self.before = check.steps[step.number - 1] if step.number else None
        self.began = time.perf_counter()

    def problems(self):
        return [
            *self.suite(),
            *self.retired(),
            *self.training(),
            *self.transcripts(),
            *self.bug(),
            *self.exercises(),
        ]

    def key(self, kind, *parts):
        return self.check.proven.key(kind, *parts)

    def known(self, key):
        """The proof of this key, if one is trusted here; if not, its time begins."""
        self.began = time.perf_counter()
        return self.check.known(self.step, key)

    def note(self, what, key, shown, seconds=None):
        """Keeps a proof, and what it took since its key was looked up."""
        seconds = time.perf_counter() - self.began if seconds is None else seconds
        self.check.spent.append((seconds, f"{self.step.tag} {what}"))
        self.check.proven.add(key, f"{self.step.tag} {what}", seconds, shown)

    def refute(self, key):
        return self.check.proven.refute(key)

    def furnished(self):
        return self.check.furnish(self.step, self.here)

    def go_back(self):
        git("switch", "--detach", "-q", self.step.commit, root=self.here)

    def suite(self):
        """The test files that nothing has proven yet; at some steps make test, with all of them."""
        problems = []
        if self.plan.files and self.plan.whole:
            found, seconds, problems = suite.run_whole(self.furnished(), self.plan.files)
            problems = problems + self.keep(found, self.plan.keys, seconds)
            if not problems:
                shown = f"{sum(outcome.tests for outcome in found.values())} tests"
                key, what = self.check.whole_key(self.step), f"{self.step.tag} make test"
                self.check.proven.add(key, what, seconds, shown)
        else:
            problems = self.files(self.plan.files)
        if files := self.plan.interpreted:
            found, seconds, failures = suite.run_files(self.furnished(), files, suite.INTERPRET)
            problems += failures + self.keep(found, self.plan.interpreted_keys, seconds, "triton ")
        key = self.check.whole_key(self.step, "from nothing")
        if self.check.begins_act(self.step) and not self.known(key):
            fresh = self.check.sandbox(self.step, f"{self.step.tag}-fresh")
            status, out, err = run("make test", fresh)
            if status:
                return [*problems, f"make test from nothing: {last_line(out, err)}"]
            self.note("make test from nothing", key, last_line(out))
        return problems

    def files(self, files):
        """Runs test files. Those with a short key first do without what is on demand; what fails
        then, and passes with it, needs it: that is kept as well, so that it is tried once.
        """
        of_files, tree, needing, problems = self.plan.keys, self.plan.tree, [], []
        whole = self.check.test_keys(tree, short=False)
        short = [path for path in files if of_files[path] != whole[path]]
        if short:
            here = self.furnished()
            with suite.out_of_reach(here, tree.on_demand, tree.replaced):
                found, seconds, _ = suite.run_files(here, short)
            passed = {path: outcome for path, outcome in found.items() if not outcome.failure}
            self.keep(passed, of_files, seconds)
            needing = [path for path in short if path not in passed]
            of_files |= {path: whole[path] for path in needing}
        if files := [path for path in files if path not in short] + needing:
            found, seconds, failures = suite.run_files(self.furnished(), files)
            problems = failures + self.keep(found, of_files, seconds)
            for path in needing:
                if path in found and not found[path].failure:
                    key, what = (
                        self.key("on demand", tree.short_keys[path]),
                        f"{path} needs devices",
                    )
                    self.check.proven.add(key, f"{self.step.tag} {what}", 0.0, "yes")
        return problems

    def catch_up(self):
        """Runs what waited for the proof of an earlier step, which did not show it."""
        now, of_files = self.check.test_keys(self.plan.tree), self.plan.keys
        late = [path for path in of_files if path not in self.plan.files]
        late = [path for path in late if not self.check.known(self.step, of_files[path])]
        late = [path for path in late if now[path] != of_files[path]]
        self.plan.keys |= {path: now[path] for path in late}
        late = [path for path in late if not self.check.known(self.step, now[path])]
        self.plan.files += late
        return self.files(late)

    def keep(self, found, of_files, seconds, patch=""):
        """Keeps the proofs of the files that passed; names those that a proof spoke for."""
        problems = []
        self.result.ran += len(found)
        self.result.test_seconds += seconds
        self.check.spent.append((seconds, f"{self.step.tag} {patch}{len(found)} test files"))
        for path, outcome in found.items():
            if outcome.failure:
                kept = self.refute(of_files[path])
                problems += [f"{path}{kept}"] if kept else []
            else:
                what = f"{self.step.tag} {patch}{path}"
                shown = outcome.shown()
                self.check.proven.add(of_files[path], what, outcome.seconds, shown)
        return problems

    def retired(self):
        """Every test of the step before is still there, unless retired."""
        if not self.before:
            return []
        trees = self.check.tree(self.before), self.plan.tree
        old, new = (tree.test_keys | tree.short_keys for tree in trees)
        changed = [path for path in old if old[path] != new.get(path)]
        retired = self.step.trailers.get("Retires", "")
        key = self.key("names", retired, *((path, old[path], new.get(path)) for path in changed))
        if not changed or self.known(key):
            return []
        there = self.check.sandbox(self.before, f"{self.step.tag}-before")
        names = set(suite.collect(self.check.furnish(self.before, there), changed))
        names -= set(suite.collect(self.furnished(), [path for path in changed if path in new]))
        gone = [name for name in sorted(names) if name.split("::")[-1].split("[")[0] not in retired]
        if not gone:
            self.note("names of tests", key, "all are there")
        return [f"the test {name} is gone; expected it, or a trailer Retires" for name in gone]

    def training(self):
        """make train prints what tests/expected.txt says, or is the run of the step before."""
        expected, arrays = self.check.expected(self.step), self.check.arrays(self.step)
        self.result.expected = expected
        key = self.key("make train", keys.of_training(self.plan.tree), expected, arrays)
        if proof := self.known(key):
            self.result.train_seconds = proof.seconds
            return []
        if self.step.trailers.get("Same-run") == "yes" and self.before and not self.plan.again:
            return self.same_run()
        if self.check.everything or self.plan.again:
            forget(self.step.commit, self.check.root)
        try:
            commit, root = self.step.commit, self.check.root
            output, seconds, _ = trained(commit, self.furnished(), root, files=False)
        except Problem as problem:
            return [f"{problem}{self.refute(key)}"]
        self.result.train_seconds = seconds
        self.result.expected = transcripts.settled(expected, output, arrays)
        if self.result.expected != expected:
            differs = f"{EXPECTED} differs from what make train prints{self.refute(key)}"
            return [f"{differs}:\n{self.result.expected}"]
        self.note("make train", key, f"held-out {self.result.held_out}", seconds)
        return []

    def same_run(self):
        """A step that changes how, not what: the first losses, and the report, to the last bit."""
        if self.check.expected(self.before) != self.result.expected:
            return [f"Same-run: {EXPECTED} is another than that of {self.before.tag}"]
        trees = self.check.tree(self.before), self.plan.tree
        key = self.key("same run", *(keys.of_training(tree) for tree in trees))
        if proof := self.known(key):
            self.result.train_seconds = proof.seconds
            return []
        there = self.check.sandbox(self.before, f"{self.step.tag}-same-run")
        try:
            self.check.furnish(self.before, there)
            kept, root = self.check.scratch, self.check.root
            one = first_losses(self.before.commit, there, kept, root)
            other = first_losses(self.step.commit, self.furnished(), kept, root)
        except Problem as problem:
            return [f"Same-run: {problem}{self.refute(key)}"]
        if difference := same_run(one, other):
            return [f"Same-run: not as {self.before.tag}: {difference}{self.refute(key)}"]
        self.result.train_seconds = time.perf_counter() - self.began
        self.note("same run", key, f"100 losses of {self.before.tag}")
        return []

    def transcripts(self):
        """What the section's commands print; trains only where they need what a training leaves."""
        section, arrays = self.result.section, self.check.arrays(self.step)
        shown = transcripts.blocks(section)
        if not shown:
            return []
        key = self.key("transcripts", *self.seen_by_transcripts(shown))
        if self.known(key):
            return []
        known = {"make train": as_printed(self.step.commit, self.check.root)}
        (self.furnished() / "runs").mkdir(exist_ok=True)
        problems = transcripts.check(section, self.here, known, arrays)
        if problems:
            self.go_back()
            try:
                trained(self.step.commit, self.here, self.check.root)
            except Problem as problem:
                return [str(problem)]
            problems = transcripts.check(section, self.here, known, arrays)
        self.go_back()
        if problems:
            problems[0] += self.refute(key)
        else:
            self.note("transcripts", key, f"{len(shown)} transcripts")
        return problems

    def seen_by_transcripts(self, shown):
        """The parts of their key: the commands, what they print, the code that they can see."""
        lines = [line for _, entries in shown for entry in entries for line in entry.lines]
        more = ["tests/"] if any("tests" in line for line in lines) else []
        if any(re.match(r"\$ .*\bmake (?!train$)", line) for line in lines):
            more += ["Makefile", "pyproject.toml"]
        visits = [match[1] for line in lines if (match := re.fullmatch(VISIT, line))]
        others = [line for line in lines if not re.fullmatch(VISIT, line)]
        chain = any(re.search(r"steps\.py|\bgit ", line) for line in others)
        visited = [step for step in self.check.steps if step.tag in visits]
        trees = [self.check.tree(step) for step in [*visited, self.step]]
        return [
            keys.meaning(Path(transcripts.__file__).read_text()),
            *(match["body"] for match, _ in shown),
            self.check.expected(self.step),
            *(keys.of_code(tree, more) for tree in trees),
            *(step.commit for step in self.check.steps if chain),
        ]

    def bug(self):
        """The bug of one character that the section names makes the test that it names fail."""
        bugs = BUG.findall(" ".join(self.result.section.split()))
        if not bugs:
            return ["no one-character bug: expected In `file`, write `x` for `y`: `tests/…` fails"]
        problems = []
        for path, new, old, test in bugs:
            place = self.here / path
            text = place.read_text()
            if text.count(old) != 1:
                times = f"stands {text.count(old)} times in {path}; expected 1"
                problems.append(f"bug: `{old}` {times}")
                continue
            if not one_character_apart(old, new):
                problems.append(f"bug: `{old}` and `{new}` differ by more than one character")
            wrong = text.replace(old, new)
            tree = self.check.read_tree(self.step.commit, {path: wrong})
            seen = keys.of_test_file(tree, test.split("::")[0])
            key = self.key("fails", test, seen)
            if self.known(key):
                continue
            self.furnished()
            place.write_text(wrong)
            # Before there is a simulator, kernels run in Triton's interpreter only.
            simulated = (self.here / "kernels/simulate.py").exists()
            kernels = test.startswith("tests/kernels/") and not simulated
            pytest = suite.INTERPRET if kernels else suite.PYTEST
            status, out, err = run(f"{pytest} -x {test}", self.here)
            place.write_text(text)
            if status != 1:
                shown = f"{test} does not fail: {last_line(out, err)}"
                problems.append(f"bug in {path}: {shown}{self.refute(key)}")
            else:
                self.note(f"bug in {path}", key, "found")
        return problems

    def exercises(self):
        """An exercise fails on its assertion; with its patch it and what that reaches pass."""
        problems = []
        show = git(
            "show",
            "--name-only",
            "--diff-filter=A",
            "--format=",
            self.step.commit,
            root=self.here,
        )
        exercises = [line for line in show.split() if line.startswith("tests/exercises/test_")]
        patches = {path.name: path for path in self.check.patches(self.step)}
        for exercise in exercises:
            slug = exercise.split("test_")[1].removesuffix(".py").replace("_", "-")
            name = f"{self.step.number:02d}-{slug}.patch"
            problems += self.unsolved(exercise)
            if exercise not in self.result.section:
                problems.append(f"{exercise} is not named in the section")
            if patch := patches.pop(name, None):
                problems += [f"{name}: {line}" for line in self.solved(exercise, patch)]
                git("reset", "--hard", "-q", root=self.here)
            else:
                problems.append(f"book/solutions/{name} is missing")
        return problems + [f"{name} belongs to no exercise of {self.step.tag}" for name in patches]

    def unsolved(self, exercise):
        key = self.key("fails", exercise, keys.of_test_file(self.plan.tree, exercise))
        if self.known(key):
            return []
        if shown := suite.fails_on_assertion(self.furnished(), exercise):
            return [f"{exercise} does not fail on an assertion: {shown}{self.refute(key)}"]
        self.note(f"unsolved {exercise}", key, "fails")
        return []

    def solved(self, exercise, patch):
        """With its patch an exercise passes, and every test file whose key the patch changes."""
        try:
            tree = self.patched(patch)
        except Problem as problem:
            return [str(problem)]
        of_files = {exercise: self.key("tests", keys.of_test_file(tree, exercise))}
        of_files |= self.check.test_keys(tree)
        if all(path.startswith("kernels/") for path in patched_files(patch)):
            # Tests of the rest compute on the cpu; and compiled are those kernels that have a case.
            seen = {path for path in of_files if path.startswith("tests/kernels/")}
            of_files = {path: of_files[path] for path in {exercise, *seen - {COMPILED}}}
        before = self.check.test_keys(self.plan.tree)
        changed = {path for path, key in of_files.items() if key != before.get(path)}
        files = [path for path in of_files if path in changed and not self.known(of_files[path])]
        git("apply", str(patch), root=self.here)
        problems = self.check.check_lint(self.step, self.here)
        if files:
            found, seconds, failures = suite.run_files(self.furnished(), files)
            problems += failures + self.keep(found, of_files, seconds, f"{patch.name} ")
        return problems

    def patched(self, patch):
        """The files of a step with a patch applied."""
        index = {"GIT_INDEX_FILE": str(self.check.scratch / f"{patch.name}.index")}
        git_with(index, "read-tree", self.step.commit, root=self.check.clone)
        git_with(index, "apply", "--cached", str(patch), root=self.check.clone)
        tree = git_with(index, "write-tree", root=self.check.clone).strip()
        return self.check.read_tree(tree)


VISIT = r"\$ git checkout -q (step-\d\d)"
