import math
import random

import numpy as np
import pytest

from engine.autograd import Tensor, parents_first
from engine.cpu import softmax_forward
from engine.nudge import nudge
from engine.ops import cross_entropy
from tests.compare import assert_close


def values(*numbers):
    return Tensor(numbers)


def assert_slopes_are_nudges(operation, weights):
    """operation: from a list of Tensors to one; nodes of many numbers obey the same rule."""
    y = operation(weights)
    y.backward()
    assert_close([w.grad for w in weights], nudge(operation, weights), "nudges")


def test_cross_entropy_against_nudges():
    assert_slopes_are_nudges(lambda w: cross_entropy(w[0][None], [2]), [values(0.3, -0.7, 1.1)])


def test_slopes_of_cross_entropy_are_p_minus_one_for_the_right_letter():
    logits = values(0.3, -0.7, 1.1)
    p = softmax_forward(logits.data)
    (slopes,) = cross_entropy(logits[None], [1]).rule(1.0)
    assert_close(list(slopes), [[p[0], p[1] - 1, p[2]]])


def test_cross_entropy_of_hopeless_logits_is_finite():
    assert cross_entropy(values(0.0, 5000.0)[None], [0]).data == 5000.0


def test_one_node_gives_the_slopes_of_many():
    """The same loss made of single operations: equal to rounding, with a fraction of the nodes."""

    def in_small_steps(weights):
        logits = []
        for row in (weights[:3], weights[3:6]):
            logits.append(row[0] * weights[6] + row[1] * weights[7] + row[2])
        return (logits[0].exp() + logits[1].exp()).log() - logits[1]

    def in_one(weights):
        x, weight, bias = weights[None, 6:], weights[[[0, 1], [3, 4]]], weights[[2, 5]]
        return cross_entropy(x @ weight.T + bias, [1])

    rng = random.Random(1)
    numbers = [rng.uniform(-1, 1) for _ in range(8)]
    many, few = [Tensor(number) for number in numbers], values(*numbers)
    loss, same = in_small_steps(many), in_one(few)
    assert same.data == pytest.approx(loss.data, abs=1e-15)
    assert len(parents_first(loss)) == 13
    loss.backward()
    same.backward()
    assert_close(few.grad, [w.grad for w in many])


def test_softmax_is_still_the_same():
    assert list(softmax_forward(np.array([0.0, math.log(3)]))) == pytest.approx([0.25, 0.75])
