"""What runs in the page: Pyodide, pytest's wheels, and for each step of act I its Python files.

site/run/ holds pyodide/, wheels.zip, and of each step its files (.zip) and facts (.json).
"""

import io
import json
import re
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import diff
import fetch
from common import EXPECTED, Problem, dependencies, git
from source import read_diff

ACT = 1  # later acts need numpy, which is not in the package
# With --cdn, act II's steps are there too. Their packages come from here, while the page is used.
CDN = f"https://cdn.jsdelivr.net/pyodide/v{fetch.NPM['pyodide'][0]}/full/"
PARTS = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
PARTS += ("pyodide-lock.json",)
NEEDED = re.compile(r"(engine|model|tests)/.*\.py|model/data/.*\.txt|pyproject\.toml")
TRAIN = "model/train.py"
EXERCISE = re.compile(r"tests/exercises/test_(\w+)\.py")
DATE = (2026, 1, 1, 0, 0, 0)  # of all files in an archive, so that builds are alike


def archive(files):
    """{path: bytes or text} as the bytes of a ZIP file."""
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, content in sorted(files.items()):
            packed.writestr(zipfile.ZipInfo(path, DATE), content, zipfile.ZIP_DEFLATED)
    return place.getvalue()


def unpacked(wheels):
    """The files of several wheels in one."""
    files = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as packed:
            files |= {name: packed.read(name) for name in packed.namelist()}
    return files


def solved(path, text, patch):
    """A file's text with a patch applied, and what that changes; the patch's numbers may be old."""
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / side / path for side in "ab"]
        for place in places:
            place.parent.mkdir(parents=True)
            place.write_text(text)
        git("apply", f"--include={path}", "-", root=f"{folder}/b", stdin=patch)
        options = ("--no-index", "--no-prefix", "--no-color", f"a/{path}", f"b/{path}")
        shown = git("diff", *options, root=folder, check=False)
        return places[1].read_text(), read_diff(shown)[0]


def place_to_write(change):
    """The line from which the last change is made: the changes before it are imports."""
    return next(old for sign, old, _ in change.hunks[-1] if sign != " ")


def flowing(told):
    """A docstring in lines as long as the page is wide: full lines go on, formulas stay."""
    return re.sub(r"(?<=.{80})\n(?=\S)", " ", re.sub(r"\n    ", "\n", told).strip())


def exercise(source, step, path):
    """What the page needs of an exercise: its task, the file to edit, hints, the solution."""
    slug = EXERCISE.fullmatch(path)[1]
    name = f"{step.number:02d}-{slug.replace('_', '-')}.patch"
    place = source.root / "book/solutions" / name
    if not place.exists():
        return None
    hints, mark, rest = place.read_text().partition("diff --git ")
    file = read_diff(mark + rest)[0].path
    tree, blobs = source.trees[step.tag], source.blobs
    text = blobs[tree[file]]
    solution, change = solved(file, text, mark + rest)
    told = re.search(r'def test_.*?\n    """(.*?)"""', blobs[tree[path]], re.S)
    return {
        "name": slug,
        "test": path,
        "task": flowing(told[1]) if told else "",
        "file": file,
        "text": text,
        "line": place_to_write(change),
        "hints": [line.split(": ", 1)[1] for line in hints.splitlines() if ": " in line],
        "solution": solution,
        "diff": diff.render_hunks(change, {change.old: text, change.new: solution}),
    }


def facts(source, step):
    """What the page must know of a step before Python is there. Its packages come from CDN."""
    tree, blobs = source.trees[step.tag], source.blobs
    added = [c.path for c in source.changes[step.tag] if c.kind == "new"]
    exercises = [exercise(source, step, path) for path in added if EXERCISE.fullmatch(path)]
    puzzles = blobs[tree["model/puzzles.py"]] if "model/puzzles.py" in tree else ""
    table = re.search(r"^PUZZLES = {(.*?)^}", puzzles, re.M | re.S)
    return {
        "packages": sorted(dependencies(step.commit, source.root)),
        "cdn": CDN,
        "expected": blobs[tree[EXPECTED]],
        "options": "--learning-rate 0.01" if "learning-rate" in blobs[tree[TRAIN]] else "",
        "exercises": [found for found in exercises if found],
        "puzzles": re.findall(r'^    "(\w+)":', table[1], re.M) if table else [],
    }


def prepare(source, folder, cdn=False):
    """Writes site/run/. Returns the tags of the steps that run; none where the download fails.

    cdn: with act II, as far as it runs; untried, since it needs a network.
    """
    place = folder / "run"
    try:
        pyodide, wheels = fetch.package("pyodide", source.root), fetch.wheels(source.root)
    except Problem as problem:
        print(f"build.py: without the runner: {problem}", file=sys.stderr)
        return []
    (place / "pyodide").mkdir(parents=True)
    for name in PARTS:
        shutil.copy(pyodide / name, place / "pyodide")
    (place / "wheels.zip").write_bytes(archive(unpacked(wheels)))
    tags = [step.tag for step in source.steps if source.act_of[step.tag] <= ACT + cdn]
    for step in source.steps:
        if step.tag in tags:
            tree = source.trees[step.tag]
            files = {path: source.blobs[blob] for path, blob in tree.items() if NEEDED.match(path)}
            (place / f"{step.tag}.zip").write_bytes(archive(files))
            told = json.dumps(facts(source, step), ensure_ascii=False)
            (place / f"{step.tag}.json").write_text(told)
    return tags
