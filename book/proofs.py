"""The file book/proven: one line a proof, so that nothing is proven twice.

    versions ID | Python and the packages | the processor
    KEY | ID | seconds | what | what it showed

A key names all that the proof depends on (book/keys.py), the versions included. So a proof made
with other versions is no proof here, nor is one whose code has changed since.
"""

import json
import platform
import re
import threading
import tomllib
from dataclasses import dataclass
from pathlib import Path

from common import PINNED, Problem, digest, run

HEAD = """# What book/check.py has proven: each line is not run again until its key changes.
# versions ID | Python and the packages | the processor
# KEY | ID | seconds | what | what it showed
"""
# Raise the number of a kind when book/ decides otherwise what proves it.
RULES = {"tests": 1, "make test": 1, "from nothing": 1, "names": 1, "make train": 1}
RULES |= {"same run": 1, "transcripts": 1, "fails": 1, "interpreted": 1, "on demand": 1}

LIST = """
import importlib.metadata, json
found = {d.name.lower(): d.version for d in importlib.metadata.distributions()}
print(json.dumps(found))
"""


@dataclass
class Proof:
    key: str
    by: str  # ID of its versions
    seconds: float
    what: str
    shown: str

    def line(self):
        return f"{self.key} | {self.by} | {self.seconds:.1f} | {self.what} | {self.shown}"


class Proven:
    """The proofs that are kept, those made now, and which of them were needed."""

    def __init__(self, versions, processor, local=None):
        self.versions = versions
        self.by = digest(versions, processor)[:8]
        self.heads = {self.by: f"versions {self.by} | {versions} | {processor}"}
        self.kept, self.made, self.used = {}, {}, {}
        self.others = 0  # proofs that were read but made with other versions
        self.local, self.lock = local, threading.Lock()

    def key(self, kind, *parts):
        return digest(kind, RULES[kind], self.versions, json.dumps(PINNED, sort_keys=True), *parts)

    def read(self, text, name="book/proven"):
        """Takes over the proofs of a text that were made with these versions."""
        for number, line in enumerate(text.splitlines(), 1):
            fields = line.split(" | ")
            if line.startswith("#") or not line:
                continue
            if line.startswith("versions ") and len(fields) == 3:
                self.heads[fields[0].split()[1]] = line
            elif len(fields) == 5 and re.fullmatch(r"\d+\.\d", fields[2]):
                proof = Proof(*fields[:2], float(fields[2]), *fields[3:])
                head = self.heads.get(proof.by, "").split(" | ")
                if len(head) == 3 and head[1] == self.versions:
                    self.kept[proof.key] = proof
                else:
                    self.others += 1
            else:
                raise Problem(f"{name}, line {number}: got '{line}'; expected a proof or versions")

    def trust(self, key, fresh=False):
        """The proof of this key, or None; `fresh`: only one that was made by this run."""
        with self.lock:
            proof = self.made.get(key) or (None if fresh else self.kept.get(key))
            if proof:
                self.used[key] = proof
            return proof

    def add(self, key, what, seconds, shown):
        proof = Proof(key, self.by, seconds, what, " ".join(shown.split()).replace("|", "/"))
        with self.lock:
            self.made[key] = self.used[key] = proof
            if self.local:
                new = not self.local.exists()
                with self.local.open("a") as file:
                    file.write(self.heads[self.by] + "\n" if new or not self.has_head() else "")
                    file.write(proof.line() + "\n")
        return proof

    def has_head(self):
        return self.heads[self.by] in self.local.read_text()

    def refute(self, key):
        """What failed now is proven no more; says so if a proof of it was kept."""
        with self.lock:
            kept = self.kept.pop(key, None)
            self.made.pop(key, None)
            self.used.pop(key, None)
            if self.local and self.local.exists():
                lines = self.local.read_text().splitlines(keepends=True)
                self.local.write_text("".join(x for x in lines if not x.startswith(key)))
        return f" (book/proven says of it: {kept.shown})" if kept else ""

    def trusted(self):
        return [proof for key, proof in self.used.items() if key not in self.made]

    def text(self, whole):
        """book/proven anew; `whole`: of a run over all steps, so that what it did not need goes."""
        proofs = self.used if whole else self.kept | self.used
        proofs = sorted(proofs.values(), key=lambda proof: (proof.what, proof.key))
        heads = [self.heads[name] for name in sorted({proof.by for proof in proofs})]
        return HEAD + "\n".join([*heads, *(proof.line() for proof in proofs)]) + "\n"


def versions(environment, toml):
    """Python, the machine, and the packages that pyproject.toml names, in a line.

    What these packages need in turn does not count: the steps that chance picks would show it.
    """
    project = tomllib.loads(toml)
    groups = project["dependency-groups"]
    lines = [*project["project"]["dependencies"], *groups["test"], *groups.get("torch", [])]
    found = installed(environment)
    names = sorted({re.match(r"[\w.-]+", line)[0].lower() for line in lines})
    packages = [f"{name} {found.get(name, '-')}" for name in names]
    system = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return ", ".join([system, *packages])


def installed(environment):
    """{name: version} of the packages of an environment."""
    _, out, _ = run(f"{environment}/bin/python -c '{LIST}'", environment)
    return json.loads(out or "{}")


def processor():
    """The processor's name, which tells where times come from."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    match = re.search(r"^model name\s*: (.+)", text, re.M)
    return (match[1] if match else platform.processor() or "unknown").replace("|", "/")
