"""Exercise: who finds out how many micro-batches a batch needs?"""

import random

import pytest

from engine import parallel
from model.data import batch
from model.gpt import GPT
from tests.compare import assert_close

X, Y = batch(["abcdefgh"[: 1 + i // 4] for i in range(32)])


class Cramped:
    """A model whose memory does not suffice at some of its calls, counted from 0."""

    def __init__(self, breaks):
        self.model, self.breaks, self.rows = GPT(random.Random(1)), breaks, []
        self.parameters = self.model.parameters

    def __call__(self, x):
        self.rows.append(len(x))
        if len(self.rows) - 1 in self.breaks:
            raise MemoryError
        return self.model(x)


def test_patiently():
    """Write patiently(model, x, y) in engine/parallel.py. It sets gradients to None, and does what
    accumulate does with 1 micro-batch; where memory is too small, anew with 2, 4, 8, ... of them,
    as long as there are rows enough. Then it gives up with the MemoryError that it got.

    An attempt that breaks off has handed over gradients already. They must not count.
    """
    assert hasattr(parallel, "patiently"), "engine/parallel.py has no patiently yet"
    whole, cramped = GPT(random.Random(1)), Cramped(breaks=(0, 1, 3))
    loss = parallel.accumulate(whole, X, Y, 1)
    assert parallel.patiently(cramped, X, Y) == pytest.approx(loss)
    assert cramped.rows == [32, 16, 8, 8] + [4] * 8
    for mine, other in zip(cramped.parameters(), whole.parameters()):
        assert_close(mine.grad, other.grad)
    hopeless = Cramped(breaks=range(100))
    with pytest.raises(MemoryError):
        parallel.patiently(hopeless, X, Y)
    assert hopeless.rows == [32, 16, 8, 4, 2, 1]
