"""make book, make serve, make book-test: the web book, in an environment of its own (.venv-book).

    python3 book/site/run.py book         writes site/; options are those of build.py
    python3 book/site/run.py serve        shows it on this machine; a port may follow
    python3 book/site/run.py book-test    reads it in a browser; options are those of pytest

make book RUNNER=cdn is book --cdn.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

from common import ROOT, Problem, run_program  # noqa: E402

import environment  # noqa: E402

NEEDED = HERE / "requirements.txt"
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts="]
PYTEST += ["-o", "python_files=browser_*.py"]  # so named that make test leaves them alone
COMMANDS = {
    "book": [str(HERE / "build.py")],
    "serve": [str(HERE / "serve.py")],
    "book-test": [*PYTEST, "book/tests/test_site.py", "book/tests/browser"],
}


def python():
    """The Python of .venv-book, made where it is not there."""
    text = NEEDED.read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    stamp = ROOT / f".venv-book/made-for-{int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)}"
    if not stamp.exists():
        with environment.alone(ROOT, stamp.parent):
            environment.make(stamp, lines)
    return str(stamp.parent / "bin/python")


def main(words):
    command, *options = words or [""]
    if command not in COMMANDS:
        raise Problem(f"got {command!r}; expected {', '.join(COMMANDS)}")
    if command == "book" and os.environ.get("RUNNER") == "cdn":
        options.append("--cdn")
    return subprocess.run(
        [python(), *COMMANDS[command], *options], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    run_program(main)
