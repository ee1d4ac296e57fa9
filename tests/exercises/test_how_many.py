"""Exercise: the guard says how many places are wrong, not only which comes first."""

import numpy as np
import pytest

from kernels import device
from kernels.device import empty, put
from kernels.language import jit, tl


@jit
def shifted_kernel(x_ptr, y_ptr, n, shift, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + i, tl.load(x_ptr + i + shift, mask=i < n), mask=i < n)


def message(shift):
    x = put(np.zeros(40, np.float32))
    with pytest.raises(ValueError) as error:
        shifted_kernel[(5,)](x_ptr=x, y_ptr=empty(40), n=40, shift=shift, BLOCK=8)
    return str(error.value)


def test_how_many():
    """Where more than one place is wrong, let Guard.check end its message with " (1 of 7)", for
    seven; where it is one, with nothing.
    """
    device.use("simulate")
    one, seven = message(1), message(-7)
    assert one.endswith("; expected a place from 0 to 39")
    assert "got a read of x_ptr[-7] by program (0, 0, 0)" in seven
    assert seven.endswith("; expected a place from 0 to 39 (1 of 7)")
