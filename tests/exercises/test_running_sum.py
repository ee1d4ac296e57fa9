"""Exercise: which sums need more digits?"""

import numpy as np

from engine import cpu


def test_running_sum():
    """Write running_sum(x) in engine/cpu.py: the sum of a vector, number after number, in x's own
    dtype, as a loop would add it, but without a loop (np.cumsum does so).

    Of 20 million times 1 in float32 it gives 16,777,216: there 1 more is no longer more.
    """
    assert hasattr(cpu, "running_sum"), "engine/cpu.py has no running_sum yet"
    assert cpu.running_sum(np.arange(5.0)) == 10.0
    ones = np.ones(20_000_000, np.float32)
    assert cpu.running_sum(ones) == 2**24
    assert ones.sum() == 20_000_000
