"""Exercise: RMSNorm, the norm of many models since LLaMA, as a kernel with one pass over memory."""

import numpy as np
import pytest

from kernels import rows
from kernels.device import put
from kernels.language import launches


@pytest.mark.parametrize("shape", [(1, 1), (3, 4), (2, 19, 33), (300, 7)])
def test_rmsnorm_forward(shape):
    """Write rmsnorm_forward(x, weight, eps=1e-5) in kernels/rows.py, and its kernel:

    y = weight * x * r,  r = 1 / sqrt(the mean of x ** 2 over the row + eps)      x, y (…, C)

    It launches one kernel, once, and returns y and saved: r, of shape (…, 1).
    """
    assert hasattr(rows, "rmsnorm_forward"), "kernels/rows.py has no rmsnorm_forward yet"
    rng = np.random.default_rng(1)
    x, weight = (rng.normal(size=size).astype(np.float32) for size in (shape, shape[-1:]))
    r = 1 / np.sqrt((x.astype(np.float64) ** 2).mean(axis=-1, keepdims=True) + 0.1)
    before = launches.total()
    y, saved = rows.rmsnorm_forward(put(x), put(weight), eps=0.1)
    assert launches.total() == before + 1
    assert y.shape == shape and np.allclose(y.numpy(), weight * x * r, atol=1e-5)
    assert saved.shape == r.shape and np.allclose(saved.numpy(), r, atol=1e-5)
