"""Makes the environment that make train, make test or make lint runs in; the Makefile calls it.

    python3 environment.py .venv/made-for-123 project test

installs into .venv what pyproject.toml lists for the project and in its group test, and then
writes the stamp made-for-123. A folder without a stamp is a reader's own: it is left as it is, and
good if it has all that is needed. Of two that come at once the second waits for the first.
"""

if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word, however early

import contextlib
import fcntl
import json
import operator
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from steps import Problem, run_program

UNFINISHED = "made-by-make.unfinished"  # stands in a folder while it is being made
INSTALLED = """
import importlib.metadata, json, platform
found = {each.metadata["Name"]: each.version for each in importlib.metadata.distributions()}
print(json.dumps(found | {"python": platform.python_version()}))
"""
SIGNS = {">=": operator.ge, "==": operator.eq, "<": operator.lt}


def requirements(groups):
    """The lines of pyproject.toml, such as numpy>=2.0, for the project and groups of it."""
    toml = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    lists = toml["dependency-groups"] | {"project": toml["project"].get("dependencies", [])}
    return [line for group in groups for line in lists[group] if applies(line)]


def applies(line):
    """Whether a line is for this system, as triton>=3.2; sys_platform == 'linux' is for Linux."""
    _, _, marker = line.partition(";")
    return not marker or marker.strip() == f"sys_platform == '{sys.platform}'"


def missing(venv, needed):
    """Those of the needed lines that the environment does not fulfil."""
    try:
        done = subprocess.run([venv / "bin/python", "-c", INSTALLED], capture_output=True)
        versions = {simple(name): v for name, v in json.loads(done.stdout).items()}
    except (OSError, ValueError):
        versions = {}
    return [line for line in needed if not fulfilled(line, versions)]


def fulfilled(line, versions):
    """Whether {name: version} has what a line such as numpy>=2.0,<3 asks for."""
    name, rules = re.fullmatch(r"([\w.-]+)(.*)", line).groups()
    version = versions.get(simple(name))
    limits = re.findall(r"(>=|==|<)([\d.]+)", rules)
    return version and all(SIGNS[sign](numbers(version), numbers(n)) for sign, n in limits)


def simple(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def numbers(version):
    return [int(number) for number in re.findall(r"\d+", version.split("+")[0])]


@contextlib.contextmanager
def alone(folder, what):
    """Waits until no other program makes an environment in `folder`; the system ends a lock."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another make, which sets up {what} ...", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def stamps(venv):
    return list(venv.glob("made-for-[0-9]*"))


def ours(venv):
    """Whether a make has made this folder, or there is nothing yet."""
    if venv.is_symlink():
        return False
    if not venv.exists() or (venv / UNFINISHED).exists():
        return True
    stamped = stamps(venv) and (venv / "pyvenv.cfg").exists()
    return venv.is_dir() and (stamped or not any(venv.iterdir()))


def make(stamp, needed):
    venv = stamp.parent
    if not ours(venv):
        if lacking := missing(venv, ["python>=3.11", *needed]):
            raise Problem(
                f"make did not make {venv} and leaves it as it is, but it lacks "
                f"{', '.join(lacking)}; expected that, or another folder: make VENV=.venv-make"
            )
        return
    if (venv / UNFINISHED).exists() or not (venv / "bin/python").exists():
        if venv.exists():
            shutil.rmtree(venv)
        print(f"setting up {venv} ...", file=sys.stderr)
        venv.mkdir()
        (venv / UNFINISHED).touch()
        call("the environment", [sys.executable, "-m", "venv", venv], capture_output=True)
    lacking, before = missing(venv, needed), stamps(venv)
    if lacking:
        if before:
            print(f"adding to {venv}: {', '.join(lacking)} ...", file=sys.stderr)
        # While pip works no stamp holds; where it fails, it has changed nothing: all hold again.
        (venv / UNFINISHED).touch()
        for old in before:
            old.unlink()
        try:
            call("the packages", [venv / "bin/python", "-m", "pip", "install", "-q", *needed])
        except Problem:
            for old in before:
                old.touch()
            if before:
                (venv / UNFINISHED).unlink()
            raise
        before = [old for old in before if stamp.name.startswith(old.name)]
    for each in [*before, stamp]:
        each.touch()
    (venv / UNFINISHED).unlink(missing_ok=True)


def call(what, command, **options):
    done = subprocess.run(command, **options)
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace") if done.stdout else ""
        raise Problem(f"{what} cannot be made: {said or 'see above'}")


def main(words):
    if len(words) < 2:
        raise Problem("expected a stamp and groups, such as .venv/made-for-123 project test")
    stamp = Path(words[0])
    stamp.parent.parent.mkdir(parents=True, exist_ok=True)
    with alone(stamp.parent.parent, stamp.parent):
        if not stamp.exists():
            make(stamp, requirements(words[1:]))


if __name__ == "__main__":
    run_program(main)
