"""Exercise: how wide may a model be that has so many weights at most?"""

import random

import pytest

from model import gpt
from model.gpt import CONFIGS, GPT, GPTConfig


def test_widest():
    """Write widest(config, most) in model/gpt.py: a configuration like this one, and with as many
    channels as a model of at most `most` weights can have; C stays a multiple of H. Raises
    ValueError("widest: got 40 weights; expected at least 228") where even C = H is too many.

    No model is made: what a configuration costs can be computed.
    """
    assert hasattr(gpt, "widest"), "model/gpt.py has no widest yet"
    assert gpt.widest(CONFIGS["names"], 4000) == CONFIGS["names"]
    assert gpt.widest(CONFIGS["names"], 3999).C == 12
    config = GPTConfig(V=50, T=9, C=2, H=2, L=3, scale=0.3)
    wide = gpt.widest(config, 10_000)
    assert (wide.V, wide.T, wide.H, wide.L, wide.scale) == (50, 9, 2, 3, 0.3)

    def count(C):
        model = GPT(random.Random(1), GPTConfig(V=50, T=9, C=C, H=2, L=3))
        return sum(weight.data.size for weight in model.parameters())

    assert count(wide.C) <= 10_000 < count(wide.C + 2)
    with pytest.raises(ValueError, match="widest: got 40 weights; expected at least 228"):
        gpt.widest(GPTConfig(V=20, T=5, C=9, H=3), 40)
