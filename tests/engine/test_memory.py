import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import memory
from engine.autograd import Tensor

ROOT = Path(__file__).parents[2]
FAULTS = """
import resource, sys
import numpy as np
from engine.memory import keep_memory
keep = sys.argv[1] == "keep" and keep_memory()
for i in range(11):
    if i == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(1_000_000, np.float32) for _ in range(10)]
    del arrays
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="settings of glibc's")
def test_arrays_made_again_and_again_cost_no_page_faults():
    """Ten times 10 arrays of 4 MB are 97,656 pages of 4 KB, unless the system hands out larger
    ones.
    """
    faults = {}
    for name in ("keep", "give back"):
        command = [sys.executable, "-c", FAULTS, name]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        faults[name] = int(done.stdout)
    assert faults["keep"] < 10 and faults["give back"] > 1000


def test_elsewhere_nothing_happens(monkeypatch):
    """As on macOS, whose C library has no mallopt."""
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert memory.keep_memory() is False


def test_gradients_of_weights_are_arrays_of_their_own():
    """+ hands the same array to both of its sides, and each may be changed in place."""
    a, b = Tensor(np.ones(2)), Tensor(np.ones(2))
    (a + b).sum().backward()
    a.grad *= 2.0
    assert a.grad.tolist() == [2.0, 2.0] and b.grad.tolist() == [1.0, 1.0]
