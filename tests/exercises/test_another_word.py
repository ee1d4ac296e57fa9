"""Exercise: another word for the simulator."""

import numpy as np

from kernels import device
from kernels.device import empty, put
from kernels.language import jit, tl


@jit
def distance_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x, y = tl.load(x_ptr + i, mask=i < n), tl.load(y_ptr + i, mask=i < n)
    tl.store(out_ptr + i, tl.abs(x - y), mask=i < n)


def test_another_word():
    """Teach tl of kernels/simulate.py abs: |x| of each number of a block, of the same type."""
    device.use("simulate")
    assert hasattr(tl, "abs"), "tl does not know abs yet"
    x, y = np.random.default_rng(1).normal(size=(2, 100)).astype(np.float32)
    for one, other in ((x, y), (np.arange(-3, 97, dtype=np.int32), np.zeros(100, np.int32))):
        out = empty(100, one.dtype)
        distance_kernel[(7,)](x_ptr=put(one), y_ptr=put(other), out_ptr=out, n=100, BLOCK=16)
        assert (out.numpy() == np.abs(one - other)).all()
