"""Draws the pictures of the sections: .venv/bin/python book/pictures.py [name …]

Each file in book/drawings/ is a picture. RUNS says which steps it comes from and what is run there:
{slug: code that leaves something in `result`}; draw() makes the picture of what came out, and its
words. It becomes book/NAME.svg. Without names all are drawn; what a step left is kept inside .git,
and run again only when its code has changed (--again runs it in any case).

In each picture stands a key: of the code of its steps, of what is run there, of how it is drawn,
and of the lines of STEPS.md that a function read() finds. Where the key is no longer that,
book/check.py says so. Steps are found by their slugs, so a new number changes nothing.
"""

import importlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import keys
from common import PINNED, ROOT, Problem, cache, digest, last_line, run_program, sandbox
from front import newest_chain

DRAWINGS = Path(__file__).resolve().parent / "drawings"
NAMES = sorted(path.stem for path in DRAWINGS.glob("*.py") if path.stem not in ("__init__", "svg"))
# What holds a processor to the arithmetic of all others, and so back.
HELD = ("GLIBC_TUNABLES", "OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")


def drawing(name):
    """The module that draws a picture."""
    return importlib.import_module(f"drawings.{name.replace('-', '_')}")


def file_name(name):
    return f"book/{name.replace('_', '-')}.svg"


def step_of(slug, steps):
    for step in steps:
        if step.slug == slug:
            return step
    raise Problem(f"there is no step '{slug}'; expected one, or another slug in book/drawings")


def code_key(slug, steps, root=ROOT):
    """The key of the code of a step; its number counts nowhere."""
    return keys.of_code(keys.Tree(step_of(slug, steps).commit, root))


def said(name, folder):
    """What a picture shows that stands in STEPS.md: what its function read() finds there."""
    book = Path(folder) / "STEPS.md"
    return drawing(name).read(book.read_text()) if hasattr(drawing(name), "read") else None


def key_of(name, steps, folder=ROOT, root=ROOT):
    """The key of all that a picture is drawn from."""
    own = [keys.meaning((DRAWINGS / path).read_text()) for path in (f"{name}.py", "svg.py")]
    found = [part for slug in drawing(name).RUNS for part in (slug, code_key(slug, steps, root))]
    return digest(*own, *found, said(name, folder))


def stale_pictures(folder, steps, root=ROOT):
    """The pictures of the book in `folder` that were drawn from something else, a line each."""
    found, known = [], {step.slug for step in steps}
    for name in NAMES:
        path = file_name(name)
        place, missing = Path(folder) / path, sorted(drawing(name).RUNS.keys() - known)
        if not place.exists():
            found += [] if missing else [f"{path} is missing"]
        elif missing:
            found.append(f"{path} is drawn from {', '.join(missing)}, which is no step")
        elif f"<!-- drawn from {key_of(name, steps, folder, root)} -->" not in place.read_text():
            found.append(f"{path} is out of date")
    return [f"{line}; expected .venv/bin/python book/pictures.py" for line in found]


def ran(slug, code, steps, again=False, measured=False, root=ROOT):
    """What `code` leaves in `result`, run in the folder of a step, or kept from an earlier time.

    measured: at this processor's best; all else comes out alike everywhere.
    """
    kept = cache(root) / f"picture-{digest(slug, code, code_key(slug, steps, root))}.json"
    if again or not kept.exists():
        with tempfile.TemporaryDirectory() as scratch:
            here = sandbox(step_of(slug, steps).commit, Path(scratch) / "code", root)
            env = {k: v for k, v in PINNED.items() if not (measured and k in HELD)}
            command = f"{code}\nimport json\njson.dump(result, open('result.json', 'w'))\n"
            (here / "drawn.py").write_text(command)
            done = subprocess.run(
                [sys.executable, "drawn.py"], cwd=here, env=env, capture_output=True, text=True
            )
            if done.returncode:
                raise Problem(f"{slug}: {last_line(done.stderr)}")
            kept.write_text((here / "result.json").read_text())
    return json.loads(kept.read_text())


def picture(name, steps, again=False, root=ROOT):
    module = drawing(name)
    measured = getattr(module, "MEASURED", False)
    found = [ran(*run, steps, again, measured, root) for run in module.RUNS.items()]
    return module.draw(*found, *([said(name, root)] if hasattr(module, "read") else []))


def main(words):
    again = "--again" in words
    names = [word.replace("-", "_") for word in words if word != "--again"] or NAMES
    if not set(names) <= set(NAMES):
        raise Problem(f"got '{' '.join(words)}'; expected {', '.join(NAMES)}")
    steps = newest_chain()
    for name in names:
        drawn = picture(name, steps, again)
        source = drawn.source(key_of(name, steps))
        (ROOT / file_name(name)).write_text(source)
        print(f"{file_name(name)} {len(source.encode()):,} bytes\n  {drawn.description}")


if __name__ == "__main__":
    run_program(main)
