import math
import random

import numpy as np
import pytest

from engine.autograd import Tensor
from engine.nudge import nudge
from engine.ops import layernorm
from model.data import encode
from model.gpt import GPT, GPTConfig, LayerNorm
from tests.compare import assert_close
from tests.losses import name_logits


def moments(numbers):
    mean = math.fsum(numbers) / len(numbers)
    return mean, math.fsum((number - mean) ** 2 for number in numbers) / len(numbers)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_output_has_mean_0_and_variance_v_over_v_plus_eps(scale):
    """Not 1 exactly: with eps below the root, v becomes v / (v + eps); at a small v one sees it."""
    rng = random.Random(1)
    x = [scale * rng.gauss(3.0, 1.0) for _ in range(16)]
    _, v = moments(x)
    mean, variance = moments(LayerNorm(16)(Tensor(x)).data)
    assert mean == pytest.approx(0.0, abs=1e-9)
    assert variance == pytest.approx(v / (v + 1e-5), rel=1e-9)


def test_layernorm_by_hand():
    """Mean 3, variance 4: (1, 5) becomes (-1, 1), up to eps; then times 10, plus 0.5."""
    y = layernorm(Tensor([1.0, 5.0]), Tensor([10.0, 10.0]), Tensor([0.5, 0.5]))
    assert list(y.data) == pytest.approx([-9.5, 10.5], abs=1e-4)


def test_layernorm_against_nudges():
    rng = random.Random(1)
    weights = [Tensor([rng.uniform(-2, 2) for _ in range(5)]) for _ in range(3)]

    def loss(weights):
        ys = layernorm(*weights)
        return sum(y * y * (c + 1.0) for c, y in enumerate(ys))

    loss(weights).backward()
    assert_close([w.grad for w in weights], nudge(loss, weights), "nudges")


def test_scaling_and_shifting_the_input_changes_nothing():
    x = [0.3, -0.7, 1.1, 0.4]
    one = LayerNorm(4)(Tensor(x))
    other = LayerNorm(4)(Tensor(x) * 100 + 7)
    assert list(one.data) == pytest.approx(list(other.data), abs=1e-4)


def test_loud_weights_no_longer_make_an_untrained_model_sure():
    """With LayerNorm before each part and the head, the logits keep their scale, however loud the
    positions are that stand on the road.
    """
    model = GPT(random.Random(1), GPTConfig(L=2))
    quiet = name_logits(model, encode("anna")[:-1])[-1].data
    model.pos_emb.data *= 50
    loud = name_logits(model, encode("anna")[:-1])[-1].data
    assert np.abs(loud).max() < 3 * np.abs(quiet).max()
