import math
import random

import numpy as np
import pytest

from engine.autograd import Tensor
from engine.module import Module, matrix, vector
from engine.optim import SGD
from model.data import encode
from model.gpt import GPT, Linear
from tests.losses import name_logits, name_loss


class Layer(Module):
    def __init__(self):
        self.size = 3
        self.table = [Tensor([1.0, 2.0]), Tensor([3.0, 4.0])]
        self.inner = [Linear(random.Random(1), 1, 1)]


def test_parameters_are_found_in_lists_and_parts_and_named_by_their_way():
    names = [name for name, _ in Layer().named_parameters()]
    assert names == ["table.0", "table.1", "inner.0.weight", "inner.0.bias"]
    assert [weight.data.tolist() for weight in Layer().parameters()[:2]] == [[1.0, 2.0], [3.0, 4.0]]


def test_a_weight_in_two_places_is_listed_once():
    """Listed twice, it would be moved twice in each step."""
    layer = Layer()
    before = layer.named_parameters()
    layer.again = layer.inner[0]
    assert layer.named_parameters() == before
    assert layer.parameters() == [weight for _, weight in before]


def test_linear_by_hand():
    linear = Linear(random.Random(1), 2, 1)
    linear.weight.data[0], linear.bias.data[0] = [2.0, 3.0], 0.5
    assert linear(Tensor([[10.0, 100.0], [0.0, 1.0]])).data.tolist() == [[320.5], [3.5]]


def test_logits_at_every_place_see_the_letters_up_to_there():
    """Changing a later letter changes no earlier logits; changing an earlier one does."""
    model = GPT(random.Random(1))
    logits, changed = (
        name_logits(model, encode("anna")[:-1]),
        name_logits(model, encode("anno")[:-1]),
    )
    assert logits.shape == (5, 27)
    assert np.array_equal(logits.data[:4], changed.data[:4])
    assert not np.array_equal(logits.data[4], changed.data[4])


def test_weights_that_start_equal_stay_equal():
    """Why weights start random: from zeros, no weight ever moves."""
    model = GPT(random.Random(1))
    for weight in model.parameters():
        weight.data[...] = 0.0
    optimizer = SGD(model.parameters(), lr=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        name_loss(model, encode("anna")).backward()
        optimizer.step()
    assert all(np.all(weight.data == 0.0) for weight in model.parameters())


def test_weights_that_start_small_start_with_log_27():
    """Why weights start small: an untrained model that is sure of anything is surprised."""
    untrained = name_loss(GPT(random.Random(1)), encode("anna")).data
    assert untrained == pytest.approx(math.log(27), abs=0.2)
    loud = GPT(random.Random(1))
    for weight in loud.parameters():
        weight.data *= 15
    assert name_loss(loud, encode("anna")).data > 2 * math.log(27)


def test_matrix_and_vector():
    rows = matrix(random.Random(1), 100, 10, scale=0.2)
    assert rows.shape == (100, 10)
    assert np.sqrt(np.mean(rows.data**2)) == pytest.approx(0.2, rel=0.1)
    assert vector(3).data.tolist() == [0.0, 0.0, 0.0]
