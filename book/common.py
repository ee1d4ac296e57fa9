"""What the author's tools share: git, the environment commands run in, scratch clones."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if (ROOT / "steps.py").exists():
    sys.path.insert(0, str(ROOT))

from steps import (  # noqa: E402
    Problem,
    Step,
    diff_sizes,
    git,
    newest_release,
    read_chain,
    releases,
    require_clone,
    run_program,
    set_tags,
)

__all__ = ["Problem", "Step", "diff_sizes", "git", "newest_release", "read_chain", "set_tags"]
__all__ += ["require_clone", "run_program"]

BOOK = (
    "README.md",
    "STEPS.md",
    "book",
    ".ci",
    ".github",
    "notebooks",
)  # main's own; all else there is the last step's
EXPECTED = "tests/expected.txt"
PROVEN = "book/proven"
NUMBER = "model/__init__.py"  # the one place in the code where a step's number stands

ONE_AT_A_TIME = threading.Lock()  # for making environments

# Processors differ in the last bit of exp and log, and BLAS and numpy choose code by processor:
# here always the code for Haswell (2013), as processors since then can. Others ignore it.
PINNED = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # numpy 2.4's names
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "reader",
    "GIT_AUTHOR_EMAIL": "reader@example.org",
    "GIT_COMMITTER_NAME": "reader",
    "GIT_COMMITTER_EMAIL": "reader@example.org",
    "LC_ALL": "C.UTF-8",
    "TERM": "dumb",
    "COLUMNS": "80",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
}
# Read by every Python of an environment when it starts, those that a test starts included: what
# book/suite.py puts out of reach fails when it is imported, and not by an ImportError, which a
# program might catch; or a stand-in takes its place, of which nothing useful comes.
REACH = """
import pathlib, sys


class OutOfReach:
    def find_spec(self, name, path=None, target=None):
        if name in failing:
            raise RuntimeError(f"{name} is out of reach: the proof of this test does without it")
        if name in replaced:
            import importlib.machinery

            return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        from unittest.mock import MagicMock

        return MagicMock(__name__=spec.name, __spec__=spec, __all__=[])

    def exec_module(self, module):
        pass


place = pathlib.Path(f"{pathlib.Path(sys.prefix).parent}.out-of-reach")
if place.exists():
    failing, replaced = (set(line.split()) for line in place.read_text().splitlines())
    sys.meta_path.insert(0, OutOfReach())
"""
# Names that would reach the projects that are run here: make hands on what its command line says.
NOT_HANDED_ON = ("GIT_", "MAKE", "MFLAGS", "ARGS", "WITH", "VENV", "LINT_VENV")


def run(command, folder, timeout=900, **options):
    """Runs a shell command as a reader would; (exit status, standard output, standard error)."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(NOT_HANDED_ON)}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=env | PINNED,
        stdin=None if "input" in options else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        **options,
    )
    return done.returncode, done.stdout, done.stderr


def last_line(*texts):
    """The last line that is not empty: usually the one that says what went wrong."""
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no output"


def digest(*parts):
    return hashlib.sha256("\x00".join(str(part) for part in parts).encode()).hexdigest()[:24]


def cache(root=ROOT):
    """A folder inside .git for environments, training results and proofs."""
    folder = Path(git("rev-parse", "--path-format=absolute", "--git-common-dir", root=root).strip())
    (folder / "stepgrad").mkdir(exist_ok=True)
    return folder / "stepgrad"


def sandbox(commit, folder, root=ROOT):
    """A scratch clone (sharing objects) in which one commit is checked out."""
    git("clone", "--shared", "--no-checkout", "-q", str(root), str(folder), root=root)
    git("switch", "--detach", "-q", commit, root=folder)
    return Path(folder)


def environment(commit, kind, root=ROOT):
    """The environment (kind: VENV or LINT_VENV) that a commit's Makefile asks for, made once.

    A VENV has what pyproject.toml lists in the groups torch and triton, with which the tests
    compare, and which interprets kernels. They are large; environments share them, behind their
    own packages.
    """
    project = tomllib.loads(git("show", f"{commit}:pyproject.toml", root=root))
    groups = project["dependency-groups"]
    needs = [groups["lint"]] if kind == "LINT_VENV" else [project["project"], groups["test"]]
    large = groups.get("torch") if kind == "VENV" else None
    if large is not None and "triton" in groups:
        large = list(dict.fromkeys([*large, *groups["triton"]]))
    folder = cache(root) / f"{kind.lower()}-{digest(needs, large, sys.version)}"
    with ONE_AT_A_TIME, tempfile.TemporaryDirectory() as scratch:
        if not (folder / "complete").exists():
            here = sandbox(commit, Path(scratch) / "code", root)
            _, checksum, _ = run("cksum < pyproject.toml | cut -d' ' -f1", here)
            command = f"make -s {kind}={folder} {folder}/made-for-{checksum.strip()}"
            status, out, err = run(command, here)
            if status:
                raise Problem(f"no environment for {commit[:9]}: {last_line(out, err)}")
            if large is not None:
                share(folder, large, root)
            (folder / "complete").touch()
    return folder


def share(folder, lines, root):
    """Adds to an environment the folder in which torch and the like lie, made once."""
    place = cache(root) / f"torch-{digest(lines, sys.version)}"
    if not (place / "complete").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        (place / "requirements.txt").write_text("\n".join(lines) + "\n")
        command = f"{folder}/bin/python -m pip install -q --target {place} -r requirements.txt"
        status, out, err = run(command, place)
        if status:
            raise Problem(f"no {' '.join(lines)}: {last_line(out, err)}")
        (place / "complete").touch()
    for packages in folder.glob("lib/*/site-packages"):
        (packages / "torch-shared.pth").write_text(f"{place}\n")
    add_reach(folder)


def add_reach(folder):
    """From now on an environment's Python heeds what book/suite.py puts out of reach."""
    for packages in folder.glob("lib/*/site-packages"):
        (packages / "reach.py").write_text(REACH)
        (packages / "reach.pth").write_text("import reach\n")


def dependencies(commit, root=ROOT):
    """The names of the packages that the programs of a commit need."""
    project = tomllib.loads(git("show", f"{commit}:pyproject.toml", root=root))["project"]
    return {re.match(r"[\w.-]+", line)[0].lower() for line in project.get("dependencies", [])}


def is_array_step(commit, root=ROOT):
    """Whether the step computes with numpy, which rounds differently from machine to machine."""
    return "numpy" in dependencies(commit, root)


def clone_at(main, folder, root=ROOT):
    """A scratch clone (sharing objects) whose main is the commit `main`, with its tags set."""
    git("clone", "--shared", "--no-checkout", "-q", str(root), str(folder), root=root)
    tags = git("tag", root=folder).split()
    if tags:
        git("tag", "-d", *tags, root=folder)
    git("update-ref", "refs/heads/main", main, root=folder)
    git("symbolic-ref", "HEAD", "refs/heads/main", root=folder)
    git("remote", "remove", "origin", root=folder)
    git("reset", "--hard", "-q", root=folder)
    set_tags(read_chain(release_at(main, root)[1], root), root=folder)
    return folder


def release_at(commit, root=ROOT):
    """(number, tip of the chain) of the newest release in the first-parent history of `commit`."""
    found = releases(commit, root)
    if not found:
        raise Problem("no release found on main; expected a merge 'release N: …'")
    return found[0].number, found[0].steps[-1].commit


def chosen_chain(words, root=ROOT):
    """The steps of the newest release; those of the branch steps if the words say --candidate."""
    require_clone(root)
    if "--candidate" not in words:
        return read_chain(release_at("HEAD", root)[1], root)
    if not git("rev-parse", "--verify", "-q", "refs/heads/steps", root=root, check=False):
        raise Problem("there is no branch steps; expected one with the chain")
    return read_chain("refs/heads/steps", root)


def act_end(act, words=(), root=ROOT):
    """The last step of an act, such as act-1, from chosen_chain."""
    for step in chosen_chain(words, root):
        if step.trailers.get("Ends") == act:
            return step
    raise Problem(f"no step ends {act}; expected one with the last line 'Ends: {act}'")


def entries(tree, root=ROOT):
    """{name: its line of git ls-tree} for the top level of a tree."""
    lines = git("ls-tree", tree, root=root).splitlines()
    return {line.split("\t")[1]: line for line in lines}


def merged_tree(book_tree, chain_tip, root=ROOT):
    """The tree of main after a release: the book of `book_tree`, the code of `chain_tip`."""
    book, code = entries(book_tree, root), entries(chain_tip, root)
    both = {name: line for name, line in code.items() if name not in BOOK}
    both |= {name: line for name, line in book.items() if name in BOOK}
    return git("mktree", root=root, stdin="\n".join(both.values()) + "\n").strip()


def git_with(env, *arguments, root=ROOT, stdin=None):
    """git with variables of its own, such as GIT_INDEX_FILE."""
    clean = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env=clean | env,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Problem(last_line(done.stderr))
    return done.stdout


def with_file(commit, path, text, root=ROOT):
    """The tree of `commit` with one file's content replaced."""
    blob = git("hash-object", "-w", "--stdin", root=root, stdin=text).strip()
    tree = git("rev-parse", f"{commit}^{{tree}}", root=root).strip()
    index = {"GIT_INDEX_FILE": str(cache(root) / "replay-index")}
    git_with(index, "read-tree", tree, root=root)
    git_with(
        index,
        "update-index",
        "--add",
        "--cacheinfo",
        f"100644,{blob},{path}",
        root=root,
    )
    return git_with(index, "write-tree", root=root).strip()


def working_book(root=ROOT):
    """The tree of main's book as it lies in the working folder, edits included."""
    index = {"GIT_INDEX_FILE": str(cache(root) / "book-index")}
    paths = [name for name in BOOK if (Path(root) / name).exists()]
    git_with(index, "read-tree", "--empty", root=root)
    git_with(index, "add", *paths, root=root)
    return git_with(index, "write-tree", root=root).strip()


def candidate(root=ROOT, book_tree=None):
    """A provisional release: the branch steps and the book, merged; nothing refers to it yet."""
    tip = git("rev-parse", "--verify", "-q", "refs/heads/steps", root=root, check=False).strip()
    head = git("rev-parse", "refs/heads/main", root=root).strip()
    tip = tip or release_at(head, root)[1]
    tree = merged_tree(book_tree or working_book(root), tip, root)
    return commit_tree(tree, [head, tip], f"release {next_number(root)}: provisional", root)


def next_number(root=ROOT):
    try:
        return newest_release(root)[0] + 1
    except Problem:
        return 1


def commit_tree(tree, parents, message, root=ROOT):
    words = [word for parent in parents for word in ("-p", parent)]
    return git("commit-tree", tree, *words, root=root, stdin=message).strip()
