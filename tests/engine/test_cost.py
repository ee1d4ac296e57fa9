import random

import numpy as np
import pytest

from engine import cpu
from engine.autograd import Tensor
from engine.cost import count_bytes, moved, watched
from engine.ops import attention, cross_entropy
from model.data import batch
from model.gpt import GPT, GPTConfig, count_flops


def tensors(*shapes):
    rng = np.random.default_rng(1)
    return [Tensor(rng.uniform(-1.5, 1.5, shape)) for shape in shapes]


def test_bytes_by_hand():
    """exp of 10 numbers of 8 bytes reads 80 and writes 80; their sum reads 80 and writes 8. On the
    way back the gradient of the sum is a view, and handed over as it is; that of exp reads x, y and
    dy and writes dx, which is copied, since x is a weight.
    """
    x = Tensor(np.zeros(10))
    found = count_bytes(lambda: x.exp().sum())
    there = (80 + 80) + (80 + 8)
    back = (80 + 80 + 80 + 80) + (80 + 80)
    assert found == (2, there + back)
    # A second pass adds to x.grad, which is there by now, and reads it.
    assert count_bytes(lambda: x.exp().sum()) == (2, there + back + 80)


def test_views_move_nothing_and_additions_are_counted():

    def count(f):
        return count_bytes(lambda: f(Tensor(np.zeros((2, 5)))).sum())[1]

    total = count(lambda x: x)
    assert count(lambda x: x.reshape(10).reshape(5, 2)) == total
    # x + x reads 2 * 80 and writes 80, and so does the sum of the two gradients of x.
    assert count(lambda x: x + x) == total + 2 * (2 * 80 + 80)


def test_bytes_of_attention_contain_the_shares_both_ways():
    """p is written on the way there and read on the way back: T times T for each head."""
    B, T, C, H = 1, 32, 4, 2
    (qkv,) = tensors((B, T, 3 * C))
    moved = count_bytes(lambda: attention(qkv, H).sum())[1]
    x, y, p = 8 * B * T * 3 * C, 8 * B * T * C, 8 * B * H * T * T
    there, back = x + y + p, y + x + y + p + x
    added, total = 2 * x, y + 8
    assert moved == there + back + added + total


def test_what_a_function_keeps_for_the_way_back_is_counted(monkeypatch):
    """gelu with a copy of x among what it keeps: written once and read once."""

    def count():
        return count_bytes(lambda: Tensor(np.zeros((2, 5))).gelu().sum())[1]

    needed = count()
    forward, backward = cpu.gelu_forward, cpu.gelu_backward

    def wasteful(x):
        y, *kept = forward(x)
        return y, [*kept, x.copy()]

    monkeypatch.setattr(cpu, "gelu_forward", wasteful)
    monkeypatch.setattr(cpu, "gelu_backward", lambda dy, x, kept: backward(dy, x, *kept[:-1]))
    assert count() == needed + 80 + 80


def test_an_embedding_reads_the_rows_that_it_takes():
    """Three rows of 5 numbers, read and written, and three indices."""
    table, index = np.zeros((100, 5)), np.array([7, 7, 2])
    y = cpu.embedding_forward(table, index)
    assert moved("embedding_forward", (table, index), y) == 120 + index.nbytes + 120


def test_functions_are_themselves_again_after_a_count():
    before = vars(cpu).copy()
    with pytest.raises(ValueError, match="backward: got a Tensor made from nothing"):
        count_bytes(lambda: Tensor(1.0))
    assert vars(cpu) == before


def test_flops_are_those_of_the_products_that_run():
    """Each call of a function with products adds what its shapes say: one product forward and two
    back, in attention two and four.
    """
    total = 0
    products = {
        "linear_forward": lambda x, w, *_: 2 * x.size * len(w),
        "linear_backward": lambda dy, x, w, *_: 2 * 2 * x.size * len(w),
        "matmul_forward": lambda a, b: 2 * a.size * b.shape[-1],
        "matmul_backward": lambda dy, a, b: 2 * 2 * a.size * b.shape[-1],
        "attention_forward": lambda qkv, *_: 2 * 2 * qkv.size // 3 * qkv.shape[1],
        "attention_backward": lambda dy, *_: 4 * 2 * dy.size * dy.shape[1],
    }

    def watch(name, function, *arguments):
        nonlocal total
        if name in products:
            total += products[name](*arguments)
        return function(*arguments)

    model = GPT(random.Random(1), GPTConfig(T=8, C=8, H=2, L=2))
    x, y = batch(["annabel", "bo"])
    with watched(cpu, watch):
        cross_entropy(model(x), y).backward()
    assert total == count_flops(model, *x.shape)
