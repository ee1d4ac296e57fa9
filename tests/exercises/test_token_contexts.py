"""Exercise: what does counting know that counts tokens in place of bytes?"""

import math

from model.count import counted_loss
from model.data import Text
from model.stories import generate


def test_token_contexts():
    """Write a method token_contexts(held_out, memory) of Text in model/data.py: as contexts, with
    tokens in place of bytes.

    With it, pairs of tokens can be compared with fours of bytes, per byte.
    """
    assert hasattr(Text, "token_contexts"), "Text has no token_contexts yet"
    data = Text(generate(1, 200_000), T=64, merges=256)
    contexts, y = data.token_contexts(held_out=True, memory=2)
    assert contexts.shape == (len(data.held_out) - 2, 2) and list(y) == list(data.held_out[2:])
    assert list(contexts[0]) == list(data.held_out[:2])
    contexts_and_y = [data.token_contexts(held_out, 1) for held_out in (False, True)]
    pairs = counted_loss(*contexts_and_y, data.V) * data.tokens_per_byte / math.log(2)
    contexts_and_y = [data.contexts(held_out, 3) for held_out in (False, True)]
    fours = counted_loss(*contexts_and_y, data.alphabet) / math.log(2)
    assert pairs < fours
