import random

import numpy as np
import pytest

from engine.autograd import Tensor, parents_first
from engine.ops import attention, cat, cross_entropy, layernorm, linear, softmax, where
from engine.optim import SGD, AdamW, clip_grad_norm, decay_groups
from model.data import batch, encode
from model.gpt import GPT
from tests.compare import assert_close
from tests.losses import name_loss
from tests.model.test_pinned import LOSSES, NAMES, pinned_model

# Each operation on one or two arrays (2, 3, 6).
OPERATIONS = {
    "add": lambda a, b: a + b * 0.5 + 1,
    "subtract": lambda a, b: 1 - a - b,
    "divide": lambda a, b: 2.0 / (a * a + 1) / (b * b + 1),
    "power": lambda a, b: (a * a + 1) ** -0.5 + b**3 + a**0,
    "exp and log": lambda a, b: (a.exp() + b.exp()).log(),
    "bends": lambda a, b: a.tanh() + b.relu() + a.gelu() + (-b).gelu(),
    "matmul": lambda a, b: a @ b.transpose(1, 2) @ np.ones((3, 2)),
    "sums": lambda a, b: a.sum(0) + b.mean(dim=1)[0] + a.max(dim=1)[1] + a.mean() + b.max(),
    "shapes": lambda a, b: cat([a.reshape(3, 12), b.reshape(3, 12)])[1:, [0, 0, 5]],
    "where": lambda a, b: where(a.data > 0, a * b, 0.0),
    "softmax": lambda a, b: softmax(a, 2.0) * b,
    "attention": lambda a, b: attention(a * b, 2)[0],
    "layers": lambda a, b: linear(layernorm(a, b[0, 0], b[0, 1]), b[1], b[0, :, 0]),
    "loss": lambda a, b: cross_entropy(a * b, np.array([[0, 5, 2], [1, -1, 3]])),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_float32_stays_float32_and_close_to_float64(name):
    """Nothing on the way there or back falls into float64, and nothing is far off."""
    rng = np.random.default_rng(1)
    numbers = [rng.uniform(-1.5, 1.5, (2, 3, 6)) for _ in range(2)]
    found = []
    for dtype in (np.float32, np.float64):
        a, b = (Tensor(x.astype(dtype)) for x in numbers)
        y = OPERATIONS[name](a, b)
        nodes = parents_first(y)
        assert {node.dtype for node in nodes} == {np.dtype(dtype)}
        (y * y).sum().backward()
        results = [y.data, *(np.broadcast_to(x.grad, x.shape) for x in (a, b))]
        assert {np.asarray(x).dtype for x in results if np.any(x)} == {np.dtype(dtype)}
        found.append(results)
    assert_close(*found, "float32")


def test_ten_losses_in_float32():
    """The pinned losses to 1e-5."""
    model = pinned_model().to(np.float32)
    optimizer = SGD(model.parameters(), lr=0.5)
    for name, expected in zip(NAMES, LOSSES):
        loss = name_loss(model, encode(name))
        assert loss.item() == pytest.approx(expected, abs=1e-5)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_a_step_of_training_in_float32():
    """Every node, gradient and average of AdamW."""
    model = GPT(random.Random(1)).to(np.float32)
    optimizer = AdamW(decay_groups(model, 0.1), lr=0.01)
    x, y = batch(["anna", "bo"])
    loss = cross_entropy(model(x), y)
    assert {node.dtype for node in parents_first(loss)} == {np.dtype(np.float32)}
    loss.backward()
    clip_grad_norm(optimizer.params, 0.1)
    optimizer.step()
    for param, m, v in zip(optimizer.params, optimizer.m, optimizer.v):
        assert {param.dtype, param.grad.dtype, m.dtype, v.dtype} == {np.dtype(np.float32)}


def test_float32_halves_the_bytes():
    single, double = Tensor(np.ones(10, np.float32)), Tensor(np.ones(10))
    assert single.data.nbytes * 2 == double.data.nbytes
    assert (single * 2.0).exp().data.nbytes == 40


def test_plain_numbers_take_the_dtype_of_the_tensor_that_they_meet():
    x = Tensor(np.ones(3, np.float32))
    for y in (x + 1, 1 / x, x**2, 2**x, x * np.ones(3), np.ones(3) - x):
        assert y.dtype == np.float32


def test_a_model_is_float32_or_float64():
    """Whole numbers would make all weights 0; to 16 bits nothing here holds."""
    model = GPT(random.Random(1))
    for dtype in (int, np.float16, complex):
        with pytest.raises(ValueError, match=r"to: got \w+; expected float32 or float64"):
            model.to(dtype)
    assert model.to("float32").tok_emb.dtype == np.float32


def test_comparisons_round_plain_numbers_too():
    x = Tensor(np.float32(0.1))
    assert x == 0.1 and x <= np.array(0.1) and not np.any(x != 0.1)


def test_cat_takes_its_dtype_from_the_tensor_among_its_parts():
    x, array = Tensor(np.ones(2, np.float32)), np.ones(2)
    assert cat([x, array]).dtype == cat([array, x]).dtype == np.float32


def test_where_takes_its_dtype_from_the_tensor_among_its_sides():
    x, mask = Tensor(np.ones(2, np.float32)), np.array([True, False])
    assert where(mask, x, 0.0).dtype == where(mask, 0.0, x).dtype == np.float32
    assert where(mask, 1.0, 0.0).data.tolist() == [1.0, 0.0]


def test_two_dtypes_meet_in_float64():
    """As in PyTorch. One stray float64 array makes everything behind it float64, and slow."""
    y = Tensor(np.ones(3, np.float32)) * Tensor(np.ones(3))
    assert y.dtype == np.float64


def test_any_other_dtype_becomes_float64():
    for data in ([1, 2], 3, np.ones(2, np.float16)):
        assert Tensor(data).dtype == np.float64


def test_exp_overflows_earlier():
    with pytest.raises(ValueError, match=r"exp: got 88.73\d*; expected at most 88.72"):
        Tensor(np.float32(88.73)).exp()
    assert Tensor(np.float32(88.72)).exp().data > 0.99 * np.finfo(np.float32).max
    assert Tensor(100.0).exp().data == np.exp(100.0)


def test_float32_keeps_seven_digits():
    """1 + 5e-8 is 1: less than half of the distance to the next number, 1.2e-7, is lost."""
    one = Tensor(np.float32(1.0))
    assert (one + 5e-8).data == 1.0 and (one + 1e-7).data > 1.0
    assert np.finfo(np.float32).eps == pytest.approx(1.19e-7, rel=1e-2)
