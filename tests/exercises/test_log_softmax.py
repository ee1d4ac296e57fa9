"""Exercise: the logarithms of the probabilities, without ever making a probability."""

import math

import numpy as np
import pytest

from engine.cpu import softmax_forward
from model import gpt


def test_log_softmax():
    """Write log_softmax(logits) in model/gpt.py; it must also work where a p rounds to 0."""
    assert hasattr(gpt, "log_softmax"), "model/gpt.py has no log_softmax yet"
    logits = [0.5, -1.0, 2.0]
    assert gpt.log_softmax(logits) == pytest.approx(
        [math.log(p) for p in softmax_forward(np.array(logits))]
    )
    assert gpt.log_softmax([0.0, 1000.0]) == pytest.approx([-1000.0, 0.0])
