import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "book/tests"), str(ROOT / "book"), str(ROOT)]

from small_project import Repository, build  # noqa: E402


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    Repository.venv = tmp_path_factory.mktemp("shared") / "venv"  # one for all that make needs
    return build(tmp_path_factory.mktemp("original") / "project")


@pytest.fixture
def project(original, tmp_path):
    """A fresh copy of the author's folder."""
    shutil.copytree(original.folder, tmp_path / "project", symlinks=True)
    return Repository(tmp_path / "project")


@pytest.fixture
def reader(original, tmp_path):
    """A reader's clone: main alone, no tags."""
    return original.clone(tmp_path / "reader", "--single-branch", "--branch", "main")
