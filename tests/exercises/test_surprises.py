"""Exercise: how surprised is the model at each token of a text?"""

import math
import random

import numpy as np
import pytest

from engine.ops import cross_entropy
from model import gpt
from model.data import encode
from model.gpt import GPT, GPTConfig, next_token


@pytest.mark.parametrize("V, tokens", [(27, encode("anna")), (1280, [65, 1279, 256, 40])])
def test_surprises(V, tokens):
    """Write surprises(model, tokens) in model/gpt.py: -log(p) of each token but the first, where p
    is its probability after those before it. Plain floats in a list; ask the model once.

    It never learns whether tokens are letters or pieces of words.
    """
    assert hasattr(gpt, "surprises"), "model/gpt.py has no surprises yet"
    model, calls = GPT(random.Random(1), GPTConfig(V=V)), []
    found = gpt.surprises(lambda x: calls.append(x) or model(x), tokens)
    assert len(calls) == 1 and {type(number) for number in found} == {float}
    expected = [-math.log(next_token(model, tokens[:t])[tokens[t]]) for t in range(1, len(tokens))]
    assert found == pytest.approx(expected)
    loss = cross_entropy(model(np.array([tokens[:-1]])), np.array([tokens[1:]]))
    assert sum(found) / len(found) == pytest.approx(loss.item())
