"""What the tests of kernels share: random numbers on the device, and a comparison."""

import numpy as np

from kernels.device import DeviceArray, put
from tests.compare import TOLERANCES

rng = np.random.default_rng(0)


def random(*shape):
    """An array of the device, float32, from -2 to 2 or so."""
    return put(rng.normal(size=shape).astype(np.float32))


def double(x):
    """The same numbers for the twin in engine/cpu.py, in float64."""
    return x.numpy().astype(np.float64)


def near(got, want, size=None):
    """Is the error small beside the length of what is wanted, or of size?

    got: an array of the device, or of numpy. A sum of terms that cancel is wanted as exact as its
    terms allow: then size is an array of these.
    """
    got = got.numpy() if isinstance(got, DeviceArray) else np.asarray(got)
    want = np.asarray(want, np.float64)
    assert got.shape == want.shape
    error = np.linalg.norm(got.astype(np.float64) - want)
    length = np.linalg.norm(want if size is None else size)
    assert error <= TOLERANCES["kernels"] * length, f"off by {error / length:.3g}"
