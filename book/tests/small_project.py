"""A small project with a history like the real one: three steps, a book, one release."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import release
from common import NOT_HANDED_ON

ROOT = Path(__file__).resolve().parent.parent.parent


class Repository:
    """A folder under git, and what a reader or an author does in it."""

    venv = ".venv"

    def __init__(self, folder):
        self.folder = Path(folder)

    def run(self, *command, check=True):
        env = {k: v for k, v in os.environ.items() if not k.startswith(NOT_HANDED_ON)}
        names = {
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@b.c",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        names |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.c"}
        names |= {"VENV": str(self.venv)}
        done = subprocess.run(
            command, cwd=self.folder, env=env | names, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done

    def git(self, *arguments):
        return self.run("git", *arguments).stdout.strip()

    def steps(self, *arguments):
        return self.run(sys.executable, "steps.py", *arguments, check=False)

    def write(self, path, text):
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def read(self, path):
        return (self.folder / path).read_text()

    def commit(self, message):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def clone(self, folder, *options):
        self.run("git", "clone", "-q", *options, f"file://{self.folder}", str(folder))
        return Repository(folder)

    def release(self, summary="a release", prove=lambda *_: 0):
        release.release(summary, root=self.folder, prove=prove)

    def trees(self, branch="steps"):
        """The tree of every commit of the chain, first to last."""
        return self.git("log", "--reverse", "--format=%T", branch).split()


TRAIN = """from model import STEP
from model.rate import RATE

print(f"{STEP} · held-out {3 - RATE:.1f} · 0.1 s")
"""
TOML = '[project]\nname = "x"\ndependencies = []\n[dependency-groups]\ntest = []\nlint = []\n'


def build(folder):
    folder.mkdir()
    project = Repository(folder)
    project.git("init", "-q", "-b", "steps")
    for name in ("steps.py", "environment.py", "Makefile", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    project.write("pyproject.toml", TOML)
    project.write("README.md", "readme\n")
    project.commit("workshop: tools")
    for number, slug in enumerate(("start", "middle", "end")):
        project.write("model/__init__.py", f'STEP = "step-{number:02d}"\n')
        project.write("tests/expected.txt", f"step-* · held-out {3 - 0.5:.1f} · * s\n")
        if number == 0:
            project.write("model/train.py", TRAIN)
            project.write("model/rate.py", "# learnign rate\nRATE = 0.5\n")
        project.write(f"model/{slug}.py", f'"""{slug}"""\n')
        short = "" if slug == "middle" else "\nShort-way: yes"
        project.commit(f"step-{number:02d}: The {slug}\n\nBody.\n\nStep: {slug}{short}")
    project.git("switch", "-q", "--orphan", "main")
    project.write("README.md", "readme\nmore\n")
    project.write("STEPS.md", "".join(f"## step-{n:02d} · X\n\ntext {n}\n\n" for n in range(3)))
    project.commit("the book")
    project.release("the first")
    return project
