"""What the tests of kernels share: random numbers on the device, and a comparison."""

import numpy as np

from engine.autograd import Tensor
from engine.backend import DEVICES
from kernels import device
from kernels.device import DeviceArray, put
from tests.compare import TOLERANCES

rng = np.random.default_rng(0)
# Of rows of so many numbers the third begins at place 2 ** 31.
WIDE = 2**30


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


def check_slopes(op, *shapes):
    """Does the rule of op, a function of Tensors, find the slopes that nudges find?

    Each argument is nudged as a whole, all its numbers at once, each by its own small amount.
    """
    tensors = [Tensor(DEVICES[device.chosen](random(*shape).numpy())) for shape in shapes]
    y = op(*tensors)
    dy = random(*y.shape)
    for tensor, dx in zip(tensors, y.rule(dy), strict=True):
        x, before, way = tensor.data, tensor.numpy(), rng.normal(size=tensor.shape)
        measured, h = 0.0, 1e-2
        for step in (h, -h):
            x[...] = (before + step * way).astype(np.float32)
            measured += (double(op(*tensors).data) * double(dy)).sum() / (2 * step)
        x[...] = before
        off = abs(measured - (double(dx) * way).sum())
        assert off <= TOLERANCES["kernel nudges"] * np.linalg.norm(double(dx)), f"off by {off:.3g}"


def far(first=0.0, third=0.0):
    """Three rows of WIDE numbers, simulated only. The first and the third begin with these 16.

    What nobody touches takes no memory, so only the first 16 of a row are to be asked for.
    """
    memory = np.zeros(2 * WIDE + 16, np.float32)
    memory[:16], memory[2 * WIDE :] = first, third
    return DeviceArray(memory)


def begins(y):
    """The 16 numbers that the first and the third row of y begin with."""
    return np.stack([y.memory[:16], y.memory[2 * WIDE :]])
