"""What make train prints at a step: trained once for all steps of the same code, and kept."""

import base64
import functools
import hashlib
import json
import re
import sys
import threading
import time
from pathlib import Path

import keys
from common import EXPECTED, NUMBER, ROOT, Problem, cache, digest, git, last_line, run

COUNT = 100  # as book/first_losses.py
KEPT = ("weights.json", "checkpoint.safetensors", "log.jsonl")  # in runs/, for later commands
LOCKS, LOCKS_LOCK = {}, threading.Lock()


@functools.cache
def training_key(commit, root=ROOT):
    """Names what make train depends on: the code that it reaches, and this Python."""
    return digest(sys.version, keys.of_training(keys.Tree(commit, root)))


def number(commit, root=ROOT):
    found = re.search(r"step-\d\d", git("show", f"{commit}:{NUMBER}", root=root, check=False))
    return found[0] if found else "step-00"


def only_one(name):
    """A lock of this name: two steps of the same code train it once."""
    with LOCKS_LOCK:
        return LOCKS.setdefault(name, threading.Lock())


def trained(commit, here, root=ROOT, files=True):
    """(what make train prints, seconds, its progress); what was trained here before is not again.

    `files`: its weights and its log are put into runs/. Both carry the number of the step, which
    is replaced where they come from another step of the same code.
    """
    key, step = training_key(commit, root), number(commit, root)
    with only_one(key):
        found = sorted(cache(root).glob(f"train-{key}-*.json"))
        kept = found[0] if found else cache(root) / f"train-{key}-{step}.json"
        if not found:
            start = time.perf_counter()
            status, out, err = run("make train", here)
            if status:
                raise Problem(f"make train failed: {last_line(out, err)}")
            seconds = time.perf_counter() - start
            left = [path for name in KEPT if (path := here / "runs" / name).exists()]
            content = {path.name: base64.b64encode(path.read_bytes()).decode() for path in left}
            kept.write_text(json.dumps([out, seconds, err, content]))
        out, seconds, err, content = json.loads(kept.read_text())
    before = re.search(r"step-\d\d", kept.name)[0]
    for name, text in content.items() if files else ():
        (here / "runs").mkdir(exist_ok=True)
        (here / "runs" / name).write_bytes(with_number(base64.b64decode(text), before, step))
    return re.sub(r"^step-\d\d\b", step, out, flags=re.M), seconds, err


def with_number(data, before, after):
    """What a training left, as the step `after` would have left it; a checkpoint has a checksum."""
    if not data[8:40].startswith(b'{"__metadata__"'):
        return data.replace(before.encode(), after.encode())
    end = 8 + int.from_bytes(data[:8], "little")
    header, data, numbers = json.loads(data[8:end]), data[:end], data[end:]
    kept = header.pop("__metadata__")
    sha256 = hashlib.sha256(kept["state"].replace(before, after).encode())
    for name in sorted(header):
        sha256.update(numbers[slice(*header[name]["data_offsets"])])
    data = data.replace(kept["checksum"].encode(), sha256.hexdigest().encode())
    return data.replace(before.encode(), after.encode()) + numbers


def forget(commit, root=ROOT):
    """The next trained() of this code trains."""
    key = training_key(commit, root)
    with only_one(key):
        for path in cache(root).glob(f"train-{key}-*.json"):
            path.unlink()


def as_printed(commit, root=ROOT):
    """What make train prints by tests/expected.txt, where `*` stands for times."""
    expected = git("show", f"{commit}:{EXPECTED}", root=root, check=False)
    return re.sub(r"^step-\* ", f"{number(commit, root)} ", expected, flags=re.M)


def first_losses(commit, here, folder, root=ROOT):
    """What book/first_losses.py prints at a step; run once for all of the same `folder`."""
    key = training_key(commit, root)
    with only_one(f"first {folder} {key}"):
        kept = Path(folder) / f"first-{key}.txt"
        if not kept.exists():
            script = ROOT / "book/first_losses.py"
            status, out, err = run(f".venv/bin/python {script}", here)
            if status:
                raise Problem(f"the first losses: {last_line(err, out)}")
            kept.write_text(out)
        return kept.read_text()


def same_run(before, after):
    """The first line in which two outputs of first_losses differ, or None; times do not count."""
    from transcripts import mask_expected

    one, other = (mask_expected(text).splitlines() for text in (before, after))
    for a, b in zip(one, other):
        if a != b:
            return f"got '{b}'; expected '{a}'"
    if len(one) != len(other):
        return f"got {len(other)} lines; expected {len(one)}"
    return None
