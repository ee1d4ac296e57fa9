import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import memory
from engine.autograd import Tensor
from engine.optim import clip_grad_norm

ROOT = Path(__file__).parent.parent
FAULTS = """
import resource, sys
import numpy as np
from engine.memory import keep_memory
keep = sys.argv[1] == "keep" and keep_memory()
for i in range(101):
    if i == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(1_000_000, np.float32)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="settings of glibc's")
def test_an_array_made_again_and_again_costs_no_page_faults():
    """100 arrays of 4 MB are 97,656 pages of 4 KB, unless the system hands out larger ones."""
    faults = {}
    for name in ("keep", "give back"):
        command = [sys.executable, "-c", FAULTS, name]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        faults[name] = int(done.stdout)
    assert faults["keep"] < 10 < faults["give back"]


def test_elsewhere_nothing_happens(monkeypatch):
    """As on macOS, whose C library has no mallopt."""
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert memory.keep_memory() is False


def test_gradients_of_weights_are_arrays_of_their_own():
    """Clipping changes them in place: were they the very array that + hands to both of its sides,
    it would be scaled twice.
    """
    a, b = Tensor(np.ones(2)), Tensor(np.ones(2))
    ((a + b) * 3.0).sum().backward()
    clip_grad_norm([a, b], 1.0)
    assert np.hypot(*a.grad) == pytest.approx(np.sqrt(0.5))
    assert np.array_equal(a.grad, b.grad)
