"""Exercise: look back a few letters only."""

import random

import numpy as np

from engine.autograd import Tensor
from model import gpt


def test_window():
    """Give Attention an attribute window: letter t looks at the letters t - window + 1 to t.

    window = None, as __init__ sets it, looks back to the start.
    """
    attn = gpt.Attention(random.Random(1), gpt.GPTConfig(C=4, H=2))
    assert hasattr(attn, "window"), "Attention has no window yet"
    x = Tensor(np.random.default_rng(1).uniform(-1, 1, (1, 5, 4)))
    assert attn.window is None
    attn.watched = True
    attn(x)
    assert np.array_equal(attn.looks[0, 0] > 0, np.tri(5, dtype=bool))
    attn.window = 2
    attn(x)
    assert np.array_equal(attn.looks[0, 1] > 0, np.eye(5, dtype=bool) | np.eye(5, k=-1, dtype=bool))
