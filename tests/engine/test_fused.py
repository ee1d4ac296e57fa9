import math
import random

import numpy as np
import pytest

from engine import cpu
from engine.autograd import Tensor, parents_first
from engine.cost import count_bytes, moved, watched
from engine.nudge import gradcheck
from engine.ops import attention, cross_entropy, layernorm, linear, softmax, where
from model.data import batch
from model.gpt import GPT, GPTConfig, Linear, count_flops
from tests.compare import assert_close


def tensors(*shapes):
    rng = np.random.default_rng(1)
    return [Tensor(rng.uniform(-1.5, 1.5, shape)) for shape in shapes]


def attention_of_single_operations(qkv, H):
    """Attention with a node for each operation on an array."""
    B, T, C = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3
    parts = qkv.reshape(B, T, 3, H, C // H)
    q, k, v = (parts[:, :, i].transpose(1, 2) for i in range(3))
    scores = where(np.tri(T, dtype=bool), q @ k.transpose(2, 3), -np.inf)
    y = softmax(scores, temperature=math.sqrt(C // H)) @ v
    return y.transpose(1, 2).reshape(B, T, C)


def same(one, other, inputs):
    """Two functions of Tensors: the same results, and the same gradients from any dy."""
    found = []
    for f in (one, other):
        for x in inputs:
            x.grad = None
        y = f(*inputs)
        (y * np.cos(np.arange(y.data.size)).reshape(y.shape)).sum().backward()
        found.append([y.data] + [x.grad for x in inputs])
    assert_close(*found)


@pytest.mark.parametrize("B, T, C, H", [(1, 1, 2, 1), (2, 5, 6, 3), (3, 8, 8, 2)])
def test_attention_is_the_same_in_one_node(B, T, C, H):
    inputs = tensors((B, T, 3 * C))
    same(
        lambda qkv: attention(qkv, H),
        lambda qkv: attention_of_single_operations(qkv, H),
        inputs,
    )
    assert gradcheck(lambda qkv: attention(qkv, H), *tensors((1, T, 3 * C)))


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)], ids=str)
def test_linear_is_the_same_in_one_node(shape):
    x, weight, bias = tensors(shape, (5, 4), (5,))
    if len(shape) > 1:
        same(linear, lambda x, w, b: x @ w.T + b, [x, weight, bias])
    assert gradcheck(linear, x, weight, bias)


def test_layernorm_of_many_rows_adds_up_the_gradients_of_its_weights():
    assert gradcheck(layernorm, *tensors((2, 3, 4), (4,), (4,)))


def test_a_layer_is_one_node():
    layer = Linear(random.Random(1), 24, 20)
    assert len(parents_first(layer(Tensor(np.ones((7, 24)))))) == 1


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


def test_fused_nodes_move_fewer_bytes():
    (qkv,) = tensors((2, 16, 48))
    fused = count_bytes(lambda: attention(qkv, 4).sum())
    single = count_bytes(lambda: attention_of_single_operations(qkv, 4).sum())
    assert fused[0] == 2 and single[0] > 10
    assert fused[1] < single[1] / 3


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


def test_linear_of_sizes_that_do_not_fit():
    x, weight, bias, table = tensors((3, 4), (2, 4), (2,), (3, 2))
    for wrong in [(x, weight, table), (x, weight, x[0]), (x[:, :3], weight, bias), (x, x[0], bias)]:
        with pytest.raises(ValueError, match=r"linear: got x .*; expected \(…, C\), \(K, C\)"):
            linear(*wrong)


def test_attention_of_sizes_that_do_not_fit():
    for shape, H in [((2, 6), 1), ((1, 2, 12), 3), ((1, 2, 8), 1)]:
        with pytest.raises(ValueError, match=r"attention: got .* heads; expected \(B, T, 3"):
            attention(*tensors(shape), H)


def test_the_shares_are_computed_for_who_looks_only(monkeypatch):
    """p @ v gives what each token receives; and nobody who does not look pays for p."""
    model, x = GPT(random.Random(1), GPTConfig(C=8, H=2, L=2)), batch(["annabel"])[0]
    attn = model.blocks[1].attn
    (qkv,) = tensors((2, 5, 24))
    p, v = cpu.attention_shares(qkv.data, 2), cpu.split_heads(qkv.data, 2)[2]
    assert_close((p @ v).swapaxes(1, 2).reshape(2, 5, 8), attention(qkv, 2).data)
    assert np.array_equal(p > 0, np.broadcast_to(np.tri(5, dtype=bool), p.shape))

    asked = []
    monkeypatch.setattr(cpu, "attention_shares", lambda qkv, H: asked.append(H) or p)
    model(x)
    assert not asked and not hasattr(attn, "looks")
    attn.watched = True
    model(x)
    assert asked == [2] and attn.looks is p
