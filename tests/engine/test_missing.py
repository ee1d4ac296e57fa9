"""What a Tensor lacks, and what to write instead."""

import numpy as np
import pytest

from engine import ops
from engine.autograd import Tensor
from engine.nudge import gradcheck
from engine.ops import cat, where
from tests.compare import assert_close


def log_softmax(x):
    z = x - x.max(-1, keepdim=True)
    return z - z.exp().sum(-1, keepdim=True).log()


# What to write for it here, and the same in numpy.
INSTEAD = {
    "permute": (lambda x: x.transpose(1, 2).transpose(0, 1), lambda x: x.transpose(2, 0, 1)),
    "unsqueeze": (lambda x: x[:, None], lambda x: np.expand_dims(x, 1)),
    "squeeze": (lambda x: x[:, :1][:, 0], lambda x: x[:, :1].squeeze(1)),
    "stack": (lambda x: cat([x[None], x[None]]), lambda x: np.stack([x, x])),
    "split": (lambda x: [x[:, i : i + 2] for i in (0, 2, 4)][1], lambda x: np.split(x, 3, 1)[1]),
    "sqrt": (lambda x: (x * x) ** 0.5, lambda x: np.sqrt(x * x)),
    "abs": (lambda x: x.relu() + (-x).relu(), np.abs),
    "clip": (lambda x: where(x < 0, 0.0, where(x > 1, 1.0, x)), lambda x: x.clip(0.0, 1.0)),
    "var": (lambda x: ((x - x.mean(1, keepdim=True)) ** 2).mean(1), lambda x: x.var(1)),
    "log_softmax": (log_softmax, lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True))),
}


@pytest.mark.parametrize("name", INSTEAD)
def test_instead_of_what_is_missing(name):
    assert not hasattr(Tensor, name) and not hasattr(ops, name)
    ours, numpys = INSTEAD[name]
    x = Tensor(np.random.default_rng(1).uniform(-1.5, 1.5, (2, 6, 4)))
    assert_close(ours(x).data, numpys(x.data))
    assert gradcheck(ours, x)


def test_instead_of_argmax():
    """It has no gradient: the array answers."""
    assert not hasattr(Tensor, "argmax")
    assert Tensor([[1.0, 3.0, 2.0]]).data.argmax(1).tolist() == [1]
