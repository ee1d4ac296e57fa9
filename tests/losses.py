"""A batch of one name, for tests that look at a single name."""

import numpy as np

from engine.ops import cross_entropy


def name_logits(model, tokens):
    """The logits (T, V) at every token of one name, given as numbers."""
    return model(np.array([tokens]))[0]


def name_loss(model, tokens):
    """The mean loss over the tokens of one encoded name."""
    return cross_entropy(model(np.array([tokens[:-1]])), [tokens[1:]])
