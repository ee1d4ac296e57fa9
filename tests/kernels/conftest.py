"""Which device the tests of kernels use: KERNELS_DEVICE, simulate where it is not set.

One process has one of them: make test WITH=triton starts another for Triton's interpreter.
"""

import importlib.util
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
        kinds = "in Triton's interpreter"
        if importlib.util.find_spec("triton") is None:
            kinds += ", and compiled for five GPUs"
        terminalreporter.write_line(
            f"SKIPPED: kernels {kinds} (make test WITH=triton)", yellow=True
        )
