import math
import random

import numpy as np
import pytest

from engine.autograd import Tensor
from engine.cpu import softmax_forward
from engine.nudge import nudge
from engine.ops import cross_entropy
from model.data import batch
from model.gpt import GPT
from model.run import Run, average_loss
from model.train import train
from tests.few_names import FewNames


def cube(weights):
    return weights[0] ** 3


def test_slope_of_a_cube():
    """w ** 3 has the slope 3 * w ** 2: 12 at w = 2."""
    assert nudge(cube, [Tensor(2.0)]) == pytest.approx([12.0], abs=1e-7)


def test_one_slope_for_each_weight_and_the_weights_stay():
    def loss(weights, factor):
        return factor * weights[0] * weights[1]

    weights = [Tensor(3.0), Tensor(-2.0)]
    assert nudge(loss, weights, 10.0) == pytest.approx([-20.0, 30.0])
    assert [weight.data for weight in weights] == [3.0, -2.0]


def test_error_first_shrinks_with_h_then_grows_again():
    """At h = 1e-1 the curve bends too much, at 1e-12 rounding wins; in between it is best."""

    def error(h):
        return abs(nudge(cube, [Tensor(2.0)], h=h)[0] - 12.0)

    assert error(1e-1) == pytest.approx(1e-2)
    assert error(1e-2) == pytest.approx(1e-4, rel=1e-3)
    assert error(1e-5) < 1e-8
    assert error(1e-12) > 1e-6


def test_cross_entropy_is_the_surprise_of_softmax():
    logits = [0.5, -1.0, 2.0]
    for y in range(3):
        loss = cross_entropy(Tensor([logits]), [y])
        assert loss.data == pytest.approx(-math.log(softmax_forward(np.array(logits))[y]))


def test_training_finds_the_odds_of_what_it_sees():
    """After a: always n, then always the end; the loss tends to 0."""
    model = GPT(random.Random(1))
    before = average_loss(model, [batch(["an"])])
    train(Run(model, FewNames(["an"]), {"learning_rate": 0.1, "steps": 120, "batch_size": 1}))
    assert before == pytest.approx(math.log(27), abs=0.5)
    assert average_loss(model, [batch(["an"])]) < 0.1
