"""Exercise: a function that takes or returns a list of arrays falls back too."""

import os

import numpy as np
import pytest

from engine import cpu
from kernels import device

try:
    device.use(os.environ.get("KERNELS_DEVICE", "simulate"))
except ValueError as missing:
    pytest.skip(str(missing), allow_module_level=True)

from engine import gpu
from kernels.device import DeviceArray, put


def test_lists(monkeypatch):
    """Let fall_back of engine/gpu.py find arrays in lists too, and in lists of tuples. Lists come
    back as lists, tuples as tuples; what is changed in place is so on the device.
    """

    def unheard_of(arrays, pairs):
        given = [*arrays, pairs[0][1]]
        assert all(isinstance(each, np.ndarray) for each in given), "these are not numpy's arrays"
        arrays[0] += 1
        return [arrays[0], (arrays[1] * 2, [pairs[0][1]])]

    monkeypatch.setattr(cpu, "unheard_of", unheard_of, raising=False)
    x, y, z = (put(np.full(2, n, np.float32)) for n in (1, 2, 3))
    result = gpu.unheard_of([x, y], [(5, z)])
    assert type(result) is list and type(result[1]) is tuple and type(result[1][1]) is list
    assert result[0] is x and result[1][1][0] is z and isinstance(result[1][0], DeviceArray)
    assert x.numpy().tolist() == [2, 2] and result[1][0].numpy().tolist() == [4, 4]
