import math
import random

import numpy as np
import pytest

from engine.autograd import Tensor, no_grad
from engine.nudge import gradcheck
from engine.ops import cross_entropy
from model.data import batch, encode
from model.gpt import GPT, GPTConfig
from model.run import average_loss
from tests.compare import assert_close
from tests.few_names import FewNames
from tests.losses import name_loss

NAMES = ["bo", "annabella", "ida"]


def test_a_batch_of_names():
    x, y = batch(["abe", "bo"])
    assert x.tolist() == [[0, 1, 2, 5], [0, 2, 15, 0]]
    assert y.tolist() == [[1, 2, 5, 0], [2, 15, 0, -1]]


def test_a_batch_gives_the_loss_and_the_gradients_of_its_names():
    """Each name counts with its number of letters; what fills up short rows changes nothing."""
    model = GPT(random.Random(1), GPTConfig(T=10))
    letters = [len(name) + 1 for name in NAMES]
    alone = sum(name_loss(model, encode(n)) * (c / sum(letters)) for n, c in zip(NAMES, letters))
    alone.backward()
    expected = [weight.grad for weight in model.parameters()]
    for weight in model.parameters():
        weight.grad = None
    x, y = batch(NAMES)
    together = cross_entropy(model(x), y)
    together.backward()
    assert together.item() == pytest.approx(alone.item(), abs=1e-14)
    assert_close([weight.grad for weight in model.parameters()], expected)


def test_names_of_a_batch_do_not_hear_each_other():
    model = GPT(random.Random(1), GPTConfig(T=10))
    x, _ = batch(NAMES)
    whole = model(x).data
    for row, letters in zip(whole, x):
        assert_close(row, model(letters[None]).data[0])


def test_what_fills_up_a_row_gets_no_gradient():
    logits = Tensor(np.random.default_rng(1).uniform(-1, 1, (2, 3, 4)))
    y = np.array([[1, 3, -1], [0, -1, -1]])
    cross_entropy(logits, y).backward()
    assert np.all(logits.grad[y == -1] == 0.0) and np.all(logits.grad[y != -1] != 0.0)
    assert gradcheck(lambda logits: cross_entropy(logits, y), logits)


def test_only_ignore_index_may_stand_outside_of_the_classes():
    """PyTorch's usual -100 would count as another class."""
    logits = Tensor(np.zeros((2, 3, 5)))
    y = np.array([[0, -100, 4], [1, 2, -100]])
    assert cross_entropy(logits, y, ignore_index=-100).item() == pytest.approx(math.log(5))
    with pytest.raises(ValueError, match="cross_entropy: got the label -100; expected 0 to 4"):
        cross_entropy(logits, y)
    with pytest.raises(ValueError, match=r"got logits \(2, 3, 5\) and y \(3,\) of int64; expected"):
        cross_entropy(logits, y[0])


def test_where_all_labels_are_ignored_there_is_no_mean():
    with pytest.raises(ValueError, match="cross_entropy: got no label but -1; expected at least"):
        cross_entropy(Tensor(np.zeros((2, 5))), [-1, -1])


def test_no_grad_remembers_nothing():
    w = Tensor([1.0, 2.0])
    with no_grad():
        y = (w * 3.0).sum()
    assert (y.item(), y.parents) == (9.0, ())
    for _ in range(2):
        with pytest.raises(ValueError, match="backward: got a Tensor made from nothing; expected"):
            y.backward()
    (w * y).sum().backward()
    assert w.grad.tolist() == [9.0, 9.0]


def test_no_grad_ends_after_an_error():
    with pytest.raises(ValueError), no_grad():
        Tensor(-1.0).log()
    assert (Tensor(1.0) * 2.0).parents != ()
    with no_grad():
        with no_grad():
            pass
        assert (Tensor(1.0) * 2.0).parents == ()


def test_one_no_grad_may_stand_inside_itself():
    quiet = no_grad()
    with quiet:
        with quiet:
            pass
        assert (Tensor(1.0) * 2.0).parents == ()
    assert (Tensor(1.0) * 2.0).parents != ()


def test_detach_lets_no_gradient_through():
    w = Tensor([1.0, 2.0])
    (w * w.detach()).sum().backward()
    assert w.grad.tolist() == [1.0, 2.0]
    assert w.detach().numpy() is w.numpy()


def test_item_is_a_plain_float():
    assert type(Tensor(2.5).item()) is float
    with pytest.raises(ValueError):
        Tensor([1.0, 2.0]).item()


def test_average_loss_is_over_letters_however_names_are_batched():
    model = GPT(random.Random(1))
    names = [random.Random(k).choice(NAMES) for k in range(300)]
    total = math.fsum(name_loss(model, encode(n)).item() * (len(n) + 1) for n in names)
    expected = total / sum(len(n) + 1 for n in names)
    for size in (7, 300):
        batches = FewNames([], names).batches(held_out=True, size=size)
        assert average_loss(model, batches) == pytest.approx(expected)


def test_evaluating_remembers_nothing():
    model, parents = GPT(random.Random(1)), []

    def spy(x):
        logits = model(x)
        parents.append(logits.parents)
        return logits

    average_loss(spy, [batch(NAMES)])
    assert parents == [()]
