import math
import random

import numpy as np
import pytest

from engine.autograd import Tensor, parents_first
from engine.nudge import gradcheck
from engine.ops import cat, cross_entropy, softmax, where
from model.data import encode
from model.gpt import GPT, Attention, GPTConfig
from tests.compare import assert_close
from tests.losses import name_loss


def tensors(*shapes):
    rng = np.random.default_rng(1)
    return [Tensor(rng.uniform(-1.5, 1.5, shape)) for shape in shapes]


def letter_by_letter(attn, x):
    """Attention without the mask: a loop over heads, and in it one over letters."""
    T, C = x.shape
    D = C // attn.H
    qkv = attn.qkv(x)
    heads = []
    for start in range(0, C, D):
        q, k, v = (qkv[:, part + start : part + start + D] for part in (0, C, 2 * C))
        rows = []
        for t in range(T):
            scores = q[t : t + 1] @ k[: t + 1].T
            rows.append(softmax(scores, math.sqrt(D)) @ v[: t + 1])
        heads.append(cat(rows))
    return attn.proj(cat(heads, dim=1))


@pytest.mark.parametrize("T, C, H", [(1, 4, 1), (5, 4, 2), (7, 6, 3)])
def test_a_mask_does_what_the_loop_did(T, C, H):
    attn = Attention(random.Random(1), GPTConfig(C=C, H=H))
    (x,) = tensors((T, C))
    factors = np.arange(T * C).reshape(T, C) / 7
    found = []
    for y in (attn(x[None])[0], letter_by_letter(attn, x)):
        x.grad = None
        (y * factors).sum().backward()
        found.append((y.data, x.grad))
    assert_close(list(found[0]), list(found[1]))


def test_the_number_of_nodes_no_longer_grows_with_the_name():
    model = GPT(random.Random(1))
    short, long = (
        len(parents_first(name_loss(model, encode(name)))) for name in ("bo", "annabella")
    )
    assert short == long < 60


def test_where_by_hand():
    a, b = Tensor([1.0, 2.0, 3.0]), Tensor(10.0)
    y = where(np.array([True, False, True]), a, b)
    assert y.data.tolist() == [1.0, 10.0, 3.0]
    y.sum().backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([1.0, 0.0, 1.0], 1.0)


def test_where_keeps_the_gradient_of_what_it_hides_at_zero():
    """Also where that is infinite or not a number."""
    a, b = Tensor([1.0, -math.inf, math.nan]), Tensor(0.5)
    mask = np.array([True, False, False])
    where(mask, a, b).sum().backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([1.0, 0.0, 0.0], 2.0)


def test_a_slope_that_is_not_a_number_comes_through_where():
    """0 times infinity is not a number: where hides a bad value, not the slope that led to it, as
    in PyTorch. So choose first, and then compute: where(x > 0, x, 1).log() and not the reverse. Our
    log refuses 0, so a node with an infinite slope is made here by hand.
    """
    x = Tensor([0.0, 4.0])
    infinite = Tensor(
        np.array([math.inf, 0.5]), (x,), lambda dy: (dy * np.array([math.inf, 0.25]),)
    )
    with np.errstate(invalid="ignore"):
        where(x.data > 0, infinite, 0.0).sum().backward()
    assert math.isnan(x.grad[0]) and x.grad[1] == 0.25
    y = Tensor([0.0, 4.0])
    where(y.data > 0, y, 1.0).log().sum().backward()
    assert y.grad.tolist() == [0.0, 0.25]


def test_a_row_that_looks_nowhere_but_at_itself():
    """The first row of the mask leaves one score; its share is 1 and its gradient 0."""
    (scores,) = tensors((1, 3, 3))
    p = softmax(where(np.tri(3, dtype=bool), scores, -np.inf), 1.0)
    assert p.data[0, 0].tolist() == [1.0, 0.0, 0.0]
    (p * np.arange(9.0).reshape(3, 3)).sum().backward()
    assert scores.grad[0, 0].tolist() == [0.0, 0.0, 0.0]
    assert np.all(scores.grad[0][~np.tri(3, dtype=bool)] == 0.0)


def test_gradients_of_reshape_and_where():
    x, y = tensors((2, 3, 4), (3, 1))
    assert gradcheck(lambda x: x.reshape(4, 6).T.reshape(3, -1) ** 2, x)
    assert gradcheck(lambda x, y: where(x.data > 0.2, x * x, y), x, y)


def test_the_loss_of_a_name_is_the_mean_over_its_letters():
    (logits,) = tensors((4, 27))
    y = [3, 0, 26, 3]
    alone = [cross_entropy(logits[t : t + 1], [y[t]]).data for t in range(4)]
    assert cross_entropy(logits, y).data == pytest.approx(np.mean(alone), abs=1e-14)
    assert gradcheck(lambda logits: cross_entropy(logits, y), logits)


@pytest.mark.parametrize(
    "shape, y, message",
    [
        ((2, 5), [0, 5], "got the label 5; expected 0 to 4"),
        ((2, 5), [-100, 1], "got the label -100; expected 0 to 4"),
        ((2, 2, 5), [0, 1], r"got logits \(2, 2, 5\) and y \(2,\) of int64; expected \("),
        ((2, 5), [0], r"got logits \(2, 5\) and y \(1,\) of int64; expected \("),
        ((2, 5), [0.0, 1.0], "got .* and y .* of float64; expected"),
        ((2, 5), [True, True], "got .* and y .* of bool; expected"),
    ],
)
def test_labels_that_do_not_fit(shape, y, message):
    """Numpy counts -1 from the end and stretches what is missing: a number would come out."""
    with pytest.raises(ValueError, match=f"cross_entropy: {message}"):
        cross_entropy(Tensor(np.zeros(shape)), y)


def test_labels_and_masks_may_change_before_backward():
    y, mask = np.array([0, 1]), np.array([True, False])
    found = []
    for spoil in (False, True):
        (x,) = tensors((2, 3))
        loss = cross_entropy(where(mask[:, None], x, x * 2.0), y)
        if spoil:
            y[:], mask[:] = 2, False
        loss.backward()
        found.append(x.grad)
    assert np.array_equal(*found)


def test_reshape_takes_a_tuple_too():
    (x,) = tensors((2, 3))
    assert np.array_equal(x.reshape((3, 2)).data, x.reshape(3, 2).data)
