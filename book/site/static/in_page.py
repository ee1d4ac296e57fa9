"""Runs a step inside the page: training, its sampling, lines of a session, tests of exercises.

The step's own files run unchanged. `say(kind, words)` and `stopping()` come from worker.js.
"""

import contextlib
import importlib
import inspect
import io
import json
import os
import random
import shlex
import sys
import time
import traceback
from pathlib import Path

from pyodide.ffi import can_run_sync, run_sync

STEP, EXERCISE = "/step", "/exercise"
EVERY = 0.1  # seconds between two messages to the page
# Characters that an order may print, since a loop may print without an end; after the first of
# them they go to the page in pieces of such a size.
MOST, AT_ONCE = 50_000, 2_000

say = stopping = pause = None  # set by worker.js
model = None  # what was trained last, as sample_name takes it
sessions = {}


class Screen(io.TextIOBase):
    """Standard output or standard error, shown on the page."""

    encoding = "utf-8"

    def __init__(self, kind):
        self.kind, self.passing, self.left, self.kept = kind, False, MOST, ""

    def write(self, words):
        """A line that begins with \\r is progress, which the next one replaces."""
        passing = words.startswith("\r") or (self.passing and words == "\n")
        if words:
            self.passing = words.startswith("\r")
        if passing:
            self.flush()
            say("progress", words)
        elif self.left:
            self.kept += words[: self.left]
            self.left -= min(len(words), self.left)
            if not self.left:
                self.kept += f"\n… more than {MOST:,} characters: no more is shown\n"
            if self.left > MOST - AT_ONCE or len(self.kept) > AT_ONCE or not self.left:
                self.flush()
        return len(words)

    def flush(self):
        if self.kept:
            say(self.kind, self.kept)
        self.kept = ""

    def writable(self):
        return True


def begin(place=STEP):
    """Makes a folder the one that imports and open files come from; forgets what was imported."""
    for name in list(sys.modules):
        if name.split(".")[0] in ("engine", "model", "tests", "conftest"):
            del sys.modules[name]
    sys.path[:] = [place, *(path for path in sys.path if path not in (STEP, EXERCISE))]
    os.chdir(place)
    importlib.invalidate_caches()


@contextlib.contextmanager
def screen():
    """Output goes to the page, and an error ends as in a terminal."""
    out, err = Screen("out"), Screen("err")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            yield
        except SystemExit:
            pass
        except BaseException:
            kept = traceback.format_exc().splitlines()
            inner = [n for n, line in enumerate(kept) if "in_page.py" in line]
            start = inner[-1] + 1 if inner else 1
            while start < len(kept) and not kept[start].startswith(("  File", "Trace", *LETTERS)):
                start += 1
            out.flush()
            print("\n".join([kept[0], *kept[start:]]), file=sys.stderr)
        finally:
            out.flush()
            err.flush()


LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")  # an error's name begins with one


def breathe(progress):
    """Lets messages of the page arrive; Stop ends the training after the step in hand."""
    if can_run_sync():
        run_sync(pause())
    if stopping() and not progress.stopped:
        progress.stopped = True
        say("stopping", "")  # the report takes a while: nobody must lose patience


def watch(word):
    """Tells the page the loss while a model learns, and where it looks at the letters of `word`."""
    from model.services.progress import Progress

    note, last = Progress.note, [0.0]

    def noted(self, loss, *arguments, **named):
        note(self, loss, *arguments, **named)
        now = time.perf_counter()
        if now - last[0] > EVERY:
            last[0] = now
            average = float(self.average)  # act II has arrays
            say("loss", json.dumps([self.steps + 1, len(self.items), average]))
            show_looks(word)
            breathe(self)

    Progress.note = noted
    return note


def unwatch(note):
    from model.services.progress import Progress

    Progress.note = note


def attention(thing, depth=4):
    """The first part of a model that keeps where it looks."""
    if hasattr(thing, "looks"):
        return thing
    if depth == 0:
        return None
    parts = thing if isinstance(thing, list) else list(getattr(thing, "__dict__", {}).values())
    found = (attention(part, depth - 1) for part in parts if not isinstance(part, (int, float)))
    return next((part for part in found if part), None)


def show_looks(word):
    """The shares of each head, for the letters of a word that is given to the model."""
    part = attention(model) if callable(model) else None  # before there is a GPT it is a table
    if part is None or not isinstance(part.looks, list):
        return
    from model.data import encode

    model(encode(word)[:-1])
    looks = part.looks if isinstance(part.looks[0][0], list) else [part.looks]
    say("looks", json.dumps({"word": "." + word, "heads": looks}))


def caught(function):
    """`function`, which also keeps its first argument: the model."""

    def catching(first, *arguments, **named):
        global model
        model = first
        return function(first, *arguments, **named)

    return catching


def program(name, words):
    """python3 -m name words; make train is model.train. Then the model is there to be sampled from.

    Returns whether it is one that invents names; that of a puzzle does not.
    """
    global model
    begin()
    module = importlib.import_module(name)
    for function in ("sample_name", "train"):
        if hasattr(module, function):
            setattr(module, function, caught(getattr(module, function)))
    arguments = shlex.split(words)
    note = watch(word_of(module, arguments))
    sys.argv = [name.split(".")[-1], *arguments]
    with screen():
        module.main()
    unwatch(note)
    if name == "model.puzzles":
        model = None
    return model is not None and hasattr(sys.modules.get("model.sample"), "sample_name")


def word_of(module, arguments):
    """The letters at which heads are shown to look: a name, or what a puzzle gives."""
    puzzles = getattr(module, "PUZZLES", {})
    if arguments and arguments[0] in puzzles:
        return puzzles[arguments[0]][0](random.Random(3))[:-1]
    return "anna"


def controls():
    """Which of temperature and prompt this step's sample_name takes."""
    module = importlib.import_module("model.sample")
    return [name for name in ("temperature", "prompt") if name in signature(module)]


def signature(module):
    return inspect.signature(module.sample_name).parameters


def sample(count, temperature, prompt, seed):
    """Some names that the model invents."""
    module = importlib.import_module("model.sample")
    asked = {"temperature": temperature, "prompt": prompt}
    named = {name: asked[name] for name in asked if name in signature(module)}
    rng = random.Random(seed)
    with screen():
        try:
            print("  ".join(module.sample_name(model, rng, **named) for _ in range(count)))
        except ValueError as error:  # letters that the model does not know
            print(error)


def line(session, text):
    """One statement of a Python session; what it prints is shown below it."""
    if not sessions and sys.path[0] != STEP:
        begin()
    space = sessions.setdefault(session, {"__name__": "__main__"})
    with screen():
        exec(compile(text + "\n", "<page>", "single"), space)


def forget_sessions():
    sessions.clear()
    begin()


def check(path, text, test):
    """Puts the text in place of a file, in a copy of the step, and runs the test of an exercise."""
    place = Path(EXERCISE)
    if not place.exists():
        import shutil

        shutil.copytree(STEP, EXERCISE)
    before = (place / path).read_text() if (place / path).exists() else None
    (place / path).write_text(text)
    begin(EXERCISE)
    sys.dont_write_bytecode = True
    with screen():
        import pytest

        status = int(pytest.main(["-q", "--no-header", "--tb=short", "--color=no", test]))
    if before is not None:
        (place / path).write_text(before)
    begin()
    sessions.clear()
    return status == 0
