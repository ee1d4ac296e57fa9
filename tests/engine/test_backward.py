import gc
import random

import pytest

from engine.autograd import Tensor
from engine.nudge import nudge
from engine.ops import cat, layernorm, softmax
from engine.optim import SGD
from model.data import encode
from model.gpt import GPT, GPTConfig
from tests.compare import assert_close
from tests.losses import name_loss


def test_chain_rule_by_hand():
    """d = (a * b + 10) ** 2 at a = 3, b = -2: dd/da = 2 * 4 * -2 = -16, dd/db = 2 * 4 * 3 = 24."""
    a, b = Tensor(3.0), Tensor(-2.0)
    d = (a * b + 10) ** 2
    d.backward()
    assert (d.data, d.grad, a.grad, b.grad) == (16.0, 1.0, -16.0, 24.0)


def test_a_number_used_twice_gets_both_shares_once():
    """c = (a + a) + (a + a) is 4a. Handing on a half-finished gradient would give 6 here."""
    a = Tensor(1.0)
    b = a + a
    c = b + b
    c.backward()
    assert (b.grad, a.grad) == (2.0, 4.0)


def row(*numbers):
    """Tensors of one number each as a vector."""
    return cat([number[None] for number in numbers])


def random_expression(weights, rng):
    """Twelve random operations whose results are used again; the sum of the last three."""
    nodes = list(weights)
    for _ in range(12):
        a, b = rng.choice(nodes), rng.choice(nodes)
        makers = [
            a + b,
            a - b,
            a * b * 0.5,
            a / (b * b + 1.0),
            (a * 0.1).exp(),
            -a,
            (a * a + 1).log(),
            (a * 0.5).tanh(),
            (a + 0.1).relu(),
            (row(a, b)[None] @ row(b, a * 0.3)[:, None])[0, 0],
            (a + b + a) / 3,
            softmax(row(a, b, -a), temperature=2.0)[1],
            (a - b).gelu(),
            layernorm(row(a, b, a * b), row(*weights), row(*weights))[2],
        ]
        nodes.append(rng.choice(makers))
    return nodes[-1] + nodes[-2] + nodes[-3]


@pytest.mark.parametrize("seed", range(30))
def test_backward_equals_nudges_on_random_expressions(seed):
    weights = [Tensor(0.3), Tensor(-0.7), Tensor(1.1)]

    def loss(weights):
        return random_expression(weights, random.Random(seed))

    measured = nudge(loss, weights)
    loss(weights).backward()
    grads = [float(weight.grad or 0.0) for weight in weights]
    assert grads == pytest.approx([float(slope) for slope in measured], rel=1e-4, abs=1e-5)


def test_training_takes_the_same_path_as_by_nudging():
    """One step of the model on one name moves its weights as nudges would."""
    model = GPT(random.Random(1), GPTConfig(C=4))
    weights = model.parameters()
    slopes = nudge(lambda _: name_loss(model, encode("bo")), weights, h=1e-5)
    expected = [weight.data - 0.5 * slope for weight, slope in zip(weights, slopes)]
    optimizer = SGD(model.parameters(), lr=0.5)
    name_loss(model, encode("bo")).backward()
    optimizer.step()
    assert_close([weight.data for weight in weights], expected, "nudges")


def test_a_chain_of_200_000_nodes():
    x = Tensor(1.0)
    y = x
    for _ in range(200_000):
        y = y + 1.0
    y.backward()
    assert (y.data, x.grad) == (200_001.0, 1.0)


def test_gradients_of_two_losses_add_up_until_zero_grad():
    w = Tensor(3.0)
    (w * 2).backward()
    (w * w).backward()
    assert w.grad == 2.0 + 6.0
    SGD([w], lr=0.1).zero_grad()
    assert w.grad is None


def test_sgd_moves_against_the_gradient():
    w = Tensor(3.0)
    optimizer = SGD([w], lr=0.1)
    (w * w).backward()
    optimizer.step()
    assert w.data == pytest.approx(3.0 - 0.1 * 6.0)


def test_a_graph_or_a_part_of_it_is_walked_once():
    w = Tensor(3.0)
    square = w * w
    loss = square + 1.0
    loss.backward()
    for again in (loss, square, square * 2.0):
        with pytest.raises(
            ValueError, match="backward: got a graph already used; expected a newly"
        ):
            again.backward()
    assert w.grad == 6.0


def test_graphs_are_freed_without_the_collector():
    """Nodes point at their parents only, so no cycles: reference counts alone free 200 graphs."""

    def alive():
        return sum(type(thing) is Tensor for thing in gc.get_objects())

    w = Tensor(0.5)
    gc.collect()
    gc.disable()
    try:
        before = alive()
        for _ in range(200):
            loss = w
            for _ in range(50):
                loss = (loss * w + 1.0).log()
            loss.backward()
        del loss
        assert alive() == before
    finally:
        gc.enable()
