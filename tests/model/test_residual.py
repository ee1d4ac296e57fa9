import math
import random

import numpy as np
import pytest

from engine.autograd import Tensor
from engine.nudge import nudge
from model.gpt import GPT, MLP, Block, GPTConfig
from tests.compare import assert_close


def random_x(T, C):
    rng = random.Random(2)
    return Tensor([[[rng.uniform(-1, 1) for _ in range(C)] for _ in range(T)]])


@pytest.mark.parametrize("x", [-6.0, -1.3, -0.1, 0.0, 0.4, 2.5, 8.0])
def test_slope_of_gelu(x):
    y = Tensor(x).gelu()
    measured = nudge(lambda weights: weights[0].gelu(), [Tensor(x)])
    assert_close(list(y.rule(1.0)), measured, "nudges")


def test_gelu_is_close_to_x_times_the_share_of_the_normal_distribution_below_x():
    """The form with tanh stays within 0.0005 of x * Phi(x), which it stands for."""
    for x in [k / 10 for k in range(-40, 41)]:
        exact = x * (1 + math.erf(x / math.sqrt(2))) / 2
        assert Tensor(x).gelu().data == pytest.approx(exact, abs=5e-4)


def test_a_block_with_zeroed_last_matrices_is_the_identity():
    """What attention and MLP write is added: if they write 0, everything stays, to the bit."""
    block = Block(random.Random(1), GPTConfig(C=4, H=2))
    for part in (block.attn.proj, block.mlp.down):
        for weight in part.parameters():
            weight.data[...] = 0.0
    x = random_x(3, 4)
    assert np.array_equal(block(x).data, x.data)


def test_the_residual_road_hands_gradients_through_unchanged():
    block = Block(random.Random(1), GPTConfig(C=4, H=2))
    for part in (block.attn.proj, block.mlp.down):
        for weight in part.parameters():
            weight.data[...] = 0.0
    x = random_x(3, 4)
    (block(x)[0, 2, 1] * 5.0).backward()
    assert x.grad[0].tolist() == [[0.0] * 4, [0.0] * 4, [0.0, 5.0, 0.0, 0.0]]


def test_block_against_nudges():
    block, x = Block(random.Random(1), GPTConfig(C=4, H=2)), random_x(2, 4)
    weights = block.parameters() + [x]

    def loss(_):
        y = block(x)
        return (y * y * np.arange(1.0, 5.0)).sum()

    loss(None).backward()
    assert_close([w.grad for w in weights], nudge(loss, weights), "nudges")


def test_mlp_widens_four_times():
    mlp = MLP(random.Random(1), GPTConfig(C=4))
    assert (mlp.up.weight.shape, mlp.down.weight.shape) == ((16, 4), (4, 16))


def test_blocks_can_be_stacked():
    one, two = GPT(random.Random(1)), GPT(random.Random(1), GPTConfig(L=2))
    extra = {name for name, _ in two.named_parameters()} - {n for n, _ in one.named_parameters()}
    assert extra == {f"blocks.1.{name}" for name, _ in one.blocks[0].named_parameters()}
    assert two(np.array([[0, 1, 2]])).shape == (1, 3, 27)
