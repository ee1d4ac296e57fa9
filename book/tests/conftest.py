import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "book/tests"), str(ROOT / "book"), str(ROOT)]

import check  # noqa: E402
import common  # noqa: E402
import front  # noqa: E402
import replay  # noqa: E402
from small_project import Repository, build  # noqa: E402


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    project = build(tmp_path_factory.mktemp("original") / "project")
    steps = project.git("rev-parse", "steps")
    Repository.venv = common.environment(steps, "VENV", project.folder)  # one for all
    return project


@pytest.fixture
def project(original, tmp_path):
    """A fresh copy of the author's folder."""
    shutil.copytree(original.folder, tmp_path / "project", symlinks=True)
    return Repository(tmp_path / "project")


@pytest.fixture
def reader(original, tmp_path):
    """A reader's clone: main alone, no tags."""
    return original.clone(tmp_path / "reader", "--single-branch", "--branch", "main")


@pytest.fixture(scope="session")
def made(original):
    """The environment of all small projects, with the pytest that runs here."""
    (packages,) = Repository.venv.glob("lib/*/site-packages")
    (packages / "ours.pth").write_text(f"{Path(pytest.__file__).parent.parent}\n")
    return Repository.venv


@pytest.fixture
def no_setup(made, monkeypatch):
    """Replays and checks use that environment, and lint finds nothing."""
    for module in (replay, check):
        monkeypatch.setattr(module, "environment", lambda *_: made)
    monkeypatch.setattr(check, "lint", lambda *_: [])


@pytest.fixture(scope="session")
def chain():
    """The steps of this repository."""
    try:
        return front.newest_chain()
    except common.Problem as problem:
        pytest.skip(f"no history here: {problem}")
