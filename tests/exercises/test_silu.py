"""Exercise: another bend, as plain functions."""

import numpy as np

from engine import cpu


def test_silu():
    """Write silu_forward(x) -> y, s and silu_backward(dy, x, s) -> dx in engine/cpu.py.

    y = x * s with s = 1 / (1 + exp(-x)); dx = dy * s * (1 + x * (1 - s)).
    """
    assert hasattr(cpu, "silu_forward"), "engine/cpu.py has no silu_forward yet"
    x = np.linspace(-4, 4, 9)
    y, s = cpu.silu_forward(x)
    assert np.allclose(y, x / (1 + np.exp(-x)))
    above, below = cpu.silu_forward(x + 1e-6)[0], cpu.silu_forward(x - 1e-6)[0]
    assert np.allclose(cpu.silu_backward(np.full(9, 2.0), x, s), (above - below) / 1e-6, atol=1e-8)
