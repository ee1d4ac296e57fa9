import random

import numpy as np
import pytest

from engine import backend, cpu
from engine.autograd import Tensor
from engine.cost import count_bytes
from engine.ops import cross_entropy
from engine.optim import decay_groups
from engine.parallel import make_worker
from model.data import batch
from model.gpt import GPT, GPTConfig, next_token
from tests.engine.far import install

ROWS = batch(["annabel", "bo", "carla", "dmitri"])


def small_gpt(dropout=0.0):
    config = GPTConfig(T=8, C=8, H=2, L=2, dropout=dropout)
    return GPT(random.Random(1), config).to(np.float32)


def train(model, steps=3, micro_batches=1):
    """The losses and norms of some steps, and the weights after them, as numpy's."""
    worker, found = make_worker(model, decay_groups(model, 0.1), lr=0.01), []
    for _ in range(steps):
        found += [worker.backward(*ROWS, micro_batches), worker.step(max_norm=1.0)]
    return found, [w.numpy() for w in model.parameters()]


@pytest.mark.parametrize("micro_batches, dropout", [(1, 0.0), (3, 0.2)])
def test_a_step_needs_nothing_of_numpy_but_a_backend(monkeypatch, micro_batches, dropout):
    """A model whose arrays refuse numpy learns, to the last bit, what it learns in numpy's."""
    expected = train(small_gpt(dropout), micro_batches=micro_batches)
    module = install(monkeypatch)
    model = small_gpt(dropout).to("far")
    found = train(model, micro_batches=micro_batches)
    assert found[0] == expected[0]
    for one, other in zip(found[1], expected[1]):
        assert np.array_equal(one, other)
    assert {"linear_backward", "adamw_step", "square_sum", "unbroadcast"} <= set(module.calls)


def test_what_numpy_is_not_asked_for_it_refuses(monkeypatch):
    install(monkeypatch)
    x = Tensor(backend.DEVICES["far"](np.ones((2, 3))))
    for wrong in (lambda: x.exp(), lambda: x == x, lambda: np.add(x.data, 1.0)):
        with pytest.raises((AssertionError, TypeError)):
            wrong()
    assert x.numpy().tolist() == [[1.0] * 3] * 2


def test_a_model_moves_there_and_back(monkeypatch):
    install(monkeypatch)
    model = small_gpt()
    before = [w.data for w in model.parameters()]
    model.to("far")
    assert not any(isinstance(w.data, np.ndarray) for w in model.parameters())
    model.to("cpu")
    for w, x in zip(model.parameters(), before):
        assert type(w.data) is np.ndarray and np.array_equal(w.data, x)


def test_a_product_is_computed_where_the_arrays_lie(monkeypatch):
    module = install(monkeypatch)
    a, b = (Tensor(backend.DEVICES["far"](np.ones(shape))) for shape in ((2, 3), (3, 4)))
    y = a @ b
    y.rule(y.data)
    assert y.numpy().tolist() == [[3.0] * 4] * 2
    assert module.calls == ["matmul_forward", "matmul_backward"]


def test_a_place_that_is_none():
    with pytest.raises(ValueError, match=r"to: got moon; expected .* or a device of \['cpu'"):
        small_gpt().to("moon")


def test_it_writes_the_same_tokens_from_there(monkeypatch):
    expected = next_token(small_gpt(), [1, 2, 3])
    install(monkeypatch)
    assert np.array_equal(next_token(small_gpt().to("far"), [1, 2, 3]), expected)


def test_bytes_are_counted_there(monkeypatch):
    """The count asks the backend that computes: here as there, the same bytes."""
    module = install(monkeypatch)
    one, other = small_gpt(), small_gpt().to("far")
    expected = count_bytes(lambda: cross_entropy(one(ROWS[0]), ROWS[1]))
    assert count_bytes(lambda: cross_entropy(other(ROWS[0]), ROWS[1]), module) == expected


def test_on_takes_numbers_for_numpys():
    assert backend.on(np.ones(2)) is backend.on(np.float32(1.0)) is backend.on(1.0) is cpu
