"""Builds the web book: python3 book/site/build.py

    --candidate     from the branch steps, not the newest release
    --plain         without the runner, so that nothing is fetched
    --cdn           act II runs too, with numpy from Pyodide's own address; this is untried
    --to FOLDER     where to; default site

Writes site/ from STEPS.md, README.md, the pictures of book/ and the chain. Nothing in it refers to
another address, so it can be read from the disk; the runner needs python3 book/site/serve.py.
"""

import shutil
import sys
import time
from pathlib import Path

from source import ROOT, Problem, Source, run_program

HERE = Path(__file__).resolve().parent
LARGEST = 300_000  # bytes of a page
MARK = "made-by-stepgrad"


def emptied(folder):
    """A new folder; an old one is removed only if this program has made it."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise Problem(f"{folder} holds other files; expected a folder that build.py made")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    return folder


def write(folder, files):
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def build(words, folder, root=ROOT):
    """Writes the site; returns a line a page that is too large."""
    import pages
    import runner

    source = Source([word for word in words if word == "--candidate"], root)
    emptied(folder)
    cdn = "--cdn" in words
    runs = () if "--plain" in words else runner.prepare(source, folder, cdn)
    site = pages.Site(source, runs, runner.CDN if cdn else "")
    found = site.pages()
    write(folder, found)
    shutil.copytree(HERE / "static", folder / "static")
    if (root / "notebooks").exists():
        shutil.copytree(root / "notebooks", folder / "notebooks")
    (folder / "pictures").mkdir()
    for path in pages.pictures(source):
        shutil.copy(path, folder / "pictures")
    source.blobs.close()
    sizes = {path: len(text.encode()) for path, text in found.items() if path.endswith(".html")}
    large = {path: size for path, size in sizes.items() if size > LARGEST}
    return sizes, [
        f"{path} has {size:,} bytes; expected {LARGEST:,}" for path, size in large.items()
    ]


def main(words):
    words, folder = list(words), ROOT / "site"
    if "--to" in words:
        at = words.index("--to")
        folder = Path(words[at + 1] if at + 1 < len(words) else "")
        del words[at : at + 2]
    odd = set(words) - {"--candidate", "--plain", "--cdn"}
    if odd or folder == Path():
        raise Problem(f"got {' '.join(words)!r}; expected --candidate, --plain, --cdn, --to FOLDER")
    start = time.perf_counter()
    sizes, large = build(words, folder.resolve())
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    for line in large:
        print(f"build.py: {line}", file=sys.stderr)
    seconds = time.perf_counter() - start
    print(f"{folder}: {len(sizes)} pages, {total / 1e6:.1f} MB, in {seconds:.0f} s")
    return 1 if large else 0


if __name__ == "__main__":
    try:
        import markdown_it  # noqa: F401
        import pygments  # noqa: F401
    except ImportError as missing:
        print(
            f"build.py: no {missing.name}; expected make book, which installs it", file=sys.stderr
        )
        sys.exit(2)
    run_program(main)
