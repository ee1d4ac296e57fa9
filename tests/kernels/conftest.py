"""Which device the tests of kernels use: KERNELS_DEVICE=interpret or cuda.

One process has one of them: make test WITH=triton starts another for these tests.
"""

import os

import numpy as np
import pytest

from kernels import device
from tests.kernels import arrays

if "KERNELS_DEVICE" in os.environ:
    device.use(os.environ["KERNELS_DEVICE"])
else:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(autouse=True)
def same_numbers(monkeypatch):
    """Each test draws the same numbers, whichever tests ran before it."""
    if device.chosen is None:
        pytest.skip("no device: make test WITH=triton")
    monkeypatch.setattr(arrays, "rng", np.random.default_rng(0))


def pytest_terminal_summary(terminalreporter):
    if "KERNELS_DEVICE" not in os.environ:
        terminalreporter.write_line("SKIPPED: kernels (make test WITH=triton)", yellow=True)
