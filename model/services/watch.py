"""The log of a training: a line a step, each of them JSON."""

import json
import os
from pathlib import Path

LOG = Path("runs/log.jsonl")


def read_log(path=LOG):
    """The lines of a log as dicts; a last line that was cut off by a kill is left out.

    Raises ValueError where it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        if any(type(line) is not dict or type(line.get("step", 0)) is not int for line in lines):
            raise ValueError("with a line that tells of no step")
        return lines
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"log: got {path} ({error}); expected what make train leaves") from None


def open_log(first, done, path=LOG):
    """A log to add lines to: cut after the step `done`; or, with none done, begun anew with the
    line `first`.
    """
    kept = [line for line in read_log(path) if line.get("step", 0) <= done] if done else []
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with open(beside, "w", encoding="utf-8") as new:
        for line in kept or [first]:
            write_line(new, line)
    os.replace(beside, path)
    # A line goes out as soon as it is whole.
    return open(path, "a", encoding="utf-8", buffering=1)


def write_line(log, line):
    log.write(json.dumps(line) + "\n")
