"""Which device the tests of kernels use: KERNELS_DEVICE, simulate where it is not set.

One process has one of them: make test WITH=triton starts another for Triton's interpreter.
"""

import os

import numpy as np
import pytest

from kernels import device
from tests.kernels import arrays

device.use(os.environ.get("KERNELS_DEVICE", "simulate"))


@pytest.fixture(autouse=True)
def same_numbers(monkeypatch):
    """Each test draws the same numbers, whichever tests ran before it."""
    monkeypatch.setattr(arrays, "rng", np.random.default_rng(0))


def pytest_terminal_summary(terminalreporter):
    if "KERNELS_DEVICE" not in os.environ:
        line = "SKIPPED: kernels in Triton's interpreter (make test WITH=triton)"
        terminalreporter.write_line(line, yellow=True)
