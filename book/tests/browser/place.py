"""Where the site is, and what happens where something is missing."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent.parent
SITE = ROOT / "site"


def missing(what):
    """Skips; in CI, which must have everything, it fails."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def modules(*names):
    """importorskip for several; in CI they must be there. Returns the first."""
    for name in names:
        try:
            __import__(name)
        except ImportError:
            missing(f"no {name}: make book-test installs it")
    return pytest.importorskip(names[0])
