"""A batch of one name, for tests that look at a single name."""

import numpy as np

from engine.ops import cross_entropy


def name_logits(model, letters):
    """The logits (T, V) at every letter of one name, given as numbers."""
    return model(np.array([letters]))[0]


def name_loss(model, letters):
    """The mean loss over the letters of one encoded name."""
    return cross_entropy(model(np.array([letters[:-1]])), [letters[1:]])
