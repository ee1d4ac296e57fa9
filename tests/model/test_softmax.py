import math
import random

import numpy as np
import pytest

from engine.autograd import Tensor
from engine.cpu import softmax_forward
from model.count import average_surprise, count_pairs, probabilities
from model.data import NAMES_FILE, pairs, read_names, split
from model.gpt import next_token


def softmax(logits):
    return softmax_forward(np.array(logits))


def test_softmax_by_hand():
    """exp(0) = 1 and exp(log 3) = 3 make the shares 1/4 and 3/4."""
    assert list(softmax([0.0, math.log(3)])) == pytest.approx([0.25, 0.75])


def test_softmax_is_a_set_of_probabilities():
    rng = random.Random(1)
    probs = softmax([rng.uniform(-30, 30) for _ in range(27)])
    assert math.fsum(probs) == pytest.approx(1, abs=1e-15)
    assert all(0 < p < 1 for p in probs)


def test_adding_a_number_to_every_logit_changes_nothing():
    assert softmax([1.0, 2.0, 4.0]) == pytest.approx(softmax([-6.0, -5.0, -3.0]), abs=1e-15)


def test_softmax_does_not_overflow():
    assert list(softmax([1000.0, 1000.0])) == [0.5, 0.5]


def test_logarithms_of_counts_give_the_counted_loss():
    """Weights log(count) and softmax make the same table as counting: equal losses to 1e-12."""
    train, held_out = split(read_names(NAMES_FILE))
    counts = count_pairs(pairs(train))
    counted = [probabilities(row) for row in counts]
    by_weights = [softmax([math.log(count) for count in row]) for row in counts]
    for names in (train, held_out):
        expected = average_surprise(counted, pairs(names))
        assert average_surprise(by_weights, pairs(names)) == pytest.approx(expected, abs=1e-12)


def test_temperature():
    """Halving the temperature squares the ratio of two probabilities; near 0 the best one wins."""

    def model(tokens, cache):
        return Tensor([[[1.0, 2.0, 3.0] for _ in tokens[0]]])

    ratio = math.exp(1)
    one, half = next_token(model, [0]), next_token(model, [0], temperature=0.5)
    assert one[2] / one[1] == pytest.approx(ratio)
    assert half[2] / half[1] == pytest.approx(ratio**2)
    assert next_token(model, [0], temperature=0.001)[2] == pytest.approx(1)


@pytest.mark.parametrize("wrong", [0, -1.0, 1e-320, math.inf, math.nan])
def test_temperature_out_of_range(wrong):
    """Divided by 1e-320 all weights are infinite."""
    with pytest.raises(ValueError, match=r"temperature: got .*; expected 0.001 to 1000"):
        next_token([[0.0, 1.0]], 0, temperature=wrong)
