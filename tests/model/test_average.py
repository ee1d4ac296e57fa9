import random

import pytest

from engine.autograd import Value
from engine.nudge import nudge
from engine.ops import average
from model.data import encode
from model.gpt import GPT


def vectors(*rows):
    return [[Value(number) for number in row] for row in rows]


def test_average_by_hand():
    y = average(vectors([1.0, 10.0], [3.0, 20.0]))
    assert [value.data for value in y] == [2.0, 15.0]
    assert y[0].slopes == (0.5, 0.5)


def test_average_against_nudges():
    (weights,) = vectors([0.3, -0.7, 1.1, 0.4, 2.0, -0.6])

    def loss(w):
        y = average([w[:2], w[2:4], w[4:]])
        return y[0] * y[1]

    loss(weights).backward()
    assert [w.grad for w in weights] == pytest.approx(nudge(loss, weights), abs=1e-7)


def later_letters_change_nothing(model):
    """Logits and gradients at the places before a changed letter stay as they are, to the bit."""
    found = []
    for name in ("hannah", "hannxk"):
        for weight in model.parameters():
            weight.grad = 0.0
        logits = model(encode(name)[:-1])
        sum(row[3] for row in logits[:5]).backward()
        data = [[logit.data for logit in row] for row in logits]
        found.append((data, [weight.grad for weight in model.parameters()]))
    (logits, gradients), (changed, after) = found
    assert logits[:5] == changed[:5]
    assert logits[5:] != changed[5:]
    assert gradients == after


def test_later_letters_change_nothing_earlier():
    later_letters_change_nothing(GPT(random.Random(1)))


def test_the_first_letter_still_matters_at_the_end():
    model = GPT(random.Random(1))
    one = model(encode("annabella")[:-1])[-1]
    other = model(encode("onnabella")[:-1])[-1]
    assert [logit.data for logit in one] != [logit.data for logit in other]


def test_an_average_forgets_the_order_of_what_it_averages():
    """Two letters that change places leave what comes after them as it is."""
    one, other = GPT(random.Random(1)), GPT(random.Random(1))
    first = [logit.data for logit in one(encode("mina")[:-1])[-1]]
    second = [logit.data for logit in other(encode("nima")[:-1])[-1]]
    assert first == pytest.approx(second, abs=1e-12)
