import math
import random

import numpy as np

from engine.autograd import Tensor
from engine.cpu import softmax_forward
from engine.nudge import nudge
from engine.ops import softmax
from model.data import Letters, batch
from model.gpt import GPT, Attention, GPTConfig
from model.instruments.look import look
from tests.compare import assert_close


def test_softmax_of_values_against_nudges():
    logits = Tensor([0.3, -0.7, 1.1])

    def loss(weights):
        p = softmax(weights[0], temperature=2.0)
        return p[0] * 3.0 - p[1] + p[2] * 0.5

    assert_close(softmax(logits, 2.0).data, softmax_forward(np.array([0.15, -0.35, 0.55])))
    loss([logits]).backward()
    assert_close([logits.grad], nudge(loss, [logits]), "nudges")


def plain(C):
    """Attention whose q, k and v are x itself, and whose last matrix changes nothing."""
    attn = Attention(random.Random(1), GPTConfig(C=C, H=1))
    for weight in attn.parameters():
        weight.data[...] = 0.0
    for c in range(C):
        for part in range(3):
            attn.qkv.weight.data[part * C + c, c] = 1.0
        attn.proj.weight.data[c, c] = 1.0
    return attn


def test_attention_by_hand():
    """Vectors (1, 0) and (0, 2): the second asks itself 4 and the first 0, over sqrt(2)."""
    first, second = plain(2)(Tensor([[[1.0, 0.0], [0.0, 2.0]]]))[0]
    share = 1 / (1 + math.exp(4 / math.sqrt(2)))
    assert_close([first.data, second.data], [[1.0, 0.0], [share, 2 * (1 - share)]])


def test_without_questions_attention_is_the_average():
    """Where all scores are 0, every letter gets an equal share: the step before."""
    attn = plain(2)
    attn.qkv.weight.data[:2] = 0.0
    last = attn(Tensor([[[1.0, 4.0], [2.0, 8.0], [6.0, 0.0]]]))[0, -1]
    assert_close(last.data, [3.0, 4.0])


def test_attention_against_nudges():
    attn = Attention(random.Random(1), GPTConfig(C=2, H=1))
    x = Tensor([[[0.3, -0.7], [1.1, 0.4], [-0.2, 0.9]]])

    def loss(_):
        y = attn(x)[0]
        return sum(y[t, 0] * (t + 1.0) - y[t, 1] * y[t, 1] for t in range(3))

    weights = attn.parameters() + [x]
    loss(None).backward()
    assert_close([w.grad for w in weights], nudge(loss, weights), "nudges")


def test_attention_knows_the_order_of_earlier_letters():
    """A letter asks for a letter at a position; the plain average forgot who stood where."""
    model = GPT(random.Random(1))
    one, other = model(batch(["mina", "nima"])[0])
    assert np.abs(one.data[-1] - other.data[-1]).max() > 1e-6


def test_a_drawing_of_where_letters_look():
    model = GPT(random.Random(1), GPTConfig(H=2))
    lines = look(model, Letters(), "anna").splitlines()
    assert lines[:2] == ["head 0", "  . a n n a"]
    assert [line[0] for line in lines[2:7]] == [".", "a", "n", "n", "a"]
    assert lines[2] == lines[9] == ". @"
    assert lines[7] == "head 1"
    model(batch(["anna"])[0])
    for rows in model.blocks[0].attn.looks[0]:
        assert np.allclose(rows.sum(axis=-1), 1.0)
        assert np.array_equal(rows > 0, np.tri(5, dtype=bool))
