"""Exercise: how often each token occurs, counted on the device by many programs at once."""

import numpy as np
import pytest

from kernels import scatter
from kernels.device import DeviceArray
from kernels.language import launches


@pytest.mark.parametrize("shape, V", [((1,), 1), ((7, 33), 5), ((5000,), 97)])
def test_token_counts(shape, V):
    """Write token_counts(index, V) in kernels/scatter.py, and its kernel: y[v] = how many numbers
    of index are v, int32, (V).

    index is a numpy array of whole numbers from 0 to V - 1. A program takes 1,024 of them; what it
    finds it adds to y with tl.atomic_add.
    """
    assert hasattr(scatter, "token_counts"), "kernels/scatter.py has no token_counts yet"
    index = np.random.default_rng(1).integers(V, size=shape)
    before = launches.total()
    counts = scatter.token_counts(index, V)
    assert launches.total() == before + 1, "expected one kernel, launched once"
    assert isinstance(counts, DeviceArray) and (counts.shape, counts.dtype) == ((V,), np.int32)
    assert counts.numpy().tolist() == np.bincount(index.reshape(-1), minlength=V).tolist()
