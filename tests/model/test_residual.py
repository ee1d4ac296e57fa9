import math
import random

import pytest

from engine.autograd import Tensor
from engine.nudge import nudge
from model.gpt import GPT, MLP, Block, add


def test_add_is_number_by_number():
    x, y = [Tensor(1.0), Tensor(2.0)], [Tensor(10.0), Tensor(20.0)]
    assert [value.data for value in add(x, y)] == [11.0, 22.0]


def random_xs(T, C):
    rng = random.Random(2)
    return [[Tensor(rng.uniform(-1, 1)) for _ in range(C)] for _ in range(T)]


@pytest.mark.parametrize("x", [-6.0, -1.3, -0.1, 0.0, 0.4, 2.5, 8.0])
def test_slope_of_gelu(x):
    y = Tensor(x).gelu()
    measured = nudge(lambda weights: weights[0].gelu(), [Tensor(x)])
    assert list(y.rule(1.0)) == pytest.approx(measured, abs=1e-7)


def test_gelu_is_close_to_x_times_the_share_of_the_normal_distribution_below_x():
    """The form with tanh stays within 0.0005 of x * Phi(x), which it stands for."""
    for x in [k / 10 for k in range(-40, 41)]:
        exact = x * (1 + math.erf(x / math.sqrt(2))) / 2
        assert Tensor(x).gelu().data == pytest.approx(exact, abs=5e-4)


def silent(L):
    """A model whose blocks add nothing: their last matrices are 0."""
    model = GPT(random.Random(1), C=4, H=2, L=L)
    for block in model.blocks:
        for weight in block.attn.proj.parameters() + block.mlp.down.parameters():
            weight.data = 0.0
    return model


def test_a_block_with_zeroed_last_matrices_is_the_identity():
    """What attention and MLP write is added: if they write 0, everything stays, to the bit."""
    (block,) = silent(1).blocks
    xs = random_xs(3, 4)
    assert [[y.data for y in row] for row in block(xs)] == [[x.data for x in row] for row in xs]


def test_layers_that_write_zeros_change_nothing():
    one, six = silent(1), silent(6)
    six.tok_emb, six.pos_emb = one.tok_emb, one.pos_emb
    logits = [[logit.data for logit in row] for row in one([0, 1, 14])]
    assert logits == [[logit.data for logit in row] for row in six([0, 1, 14])]


def test_the_residual_road_hands_gradients_through_unchanged():
    for L in (1, 6, 40):
        start = xs = random_xs(3, 4)
        for block in silent(L).blocks:
            xs = block(xs)
        (xs[2][1] * 5.0).backward()
        assert start[2][1].grad == 5.0
        assert all(x.grad == 0.0 for row in start for x in row if x is not start[2][1])


def test_block_against_nudges():
    block, xs = Block(random.Random(1), C=4, H=2), random_xs(2, 4)
    weights = block.parameters() + [x for row in xs for x in row]

    def loss(_):
        return sum(y * y * (c + 1.0) for row in block(xs) for c, y in enumerate(row))

    loss(None).backward()
    measured = nudge(loss, weights)
    assert [w.grad for w in weights] == pytest.approx(measured, rel=1e-5, abs=1e-6)


def test_mlp_widens_four_times():
    mlp = MLP(random.Random(1), C=4)
    assert (len(mlp.up.weight), len(mlp.down.weight)) == (16, 4)


def test_blocks_can_be_stacked():
    one, two = GPT(random.Random(1)), GPT(random.Random(1), L=2)
    extra = len(two.parameters()) - len(one.parameters())
    assert extra == len(Block(random.Random(1), C=16, H=4).parameters())
    assert len(two([0, 1, 2])) == 3
