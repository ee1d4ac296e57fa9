import math
import random

import numpy as np
import pytest

from engine import cpu
from engine.autograd import Tensor, parents_first
from engine.cost import count_bytes
from engine.nudge import gradcheck
from engine.ops import attention, cross_entropy, layernorm, linear, softmax, where
from model.data import batch
from model.gpt import GPT, Linear, count_flops
from tests.compare import assert_close


def tensors(*shapes):
    rng = np.random.default_rng(1)
    return [Tensor(rng.uniform(-1.5, 1.5, shape)) for shape in shapes]


def attention_of_single_operations(qkv, H):
    """As step-24 had it: a node for each operation on an array."""
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
            x.grad = 0.0
        y = f(*inputs)
        (y * np.cos(np.arange(y.data.size)).reshape(y.shape)).sum().backward()
        found.append([y.data] + [x.grad for x in inputs])
    assert_close(*found)


@pytest.mark.parametrize("B, T, C, H", [(1, 1, 2, 1), (2, 5, 6, 3), (3, 8, 8, 2)])
def test_attention_is_the_same_in_one_node(B, T, C, H):
    inputs = tensors((B, T, 3 * C))
    same(
        lambda qkv: attention(qkv, H)[0],
        lambda qkv: attention_of_single_operations(qkv, H),
        inputs,
    )
    assert gradcheck(lambda qkv: attention(qkv, H)[0], *tensors((1, T, 3 * C)))


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
    """exp of 10 numbers of 8 bytes, then their sum: 80 read and 80 written, then 80 read and 8
    written; on the way back 160 and two gradients of 80, then 88, one of 8 and one of 80.
    """
    x = Tensor(np.zeros(10))
    loss = x.exp().sum()
    nodes, moved = count_bytes(loss)
    forward = (80 + 80) + (80 + 8)
    back = (80 + 80 + 80 + 80) + (80 + 8 + 8 + 80)
    assert (nodes, moved) == (2, forward + back)


def test_fused_nodes_move_fewer_bytes():
    (qkv,) = tensors((2, 16, 48))
    fused = count_bytes(attention(qkv, 4)[0].sum())
    single = count_bytes(attention_of_single_operations(qkv, 4).sum())
    assert fused[0] == 2 and single[0] > 10
    assert fused[1] < single[1] / 3


def test_flops_are_those_of_the_products_that_run(monkeypatch):
    """Each call of a function with products adds what its shapes say: one product forward and two
    back, in attention two and four.
    """
    total = 0

    def counting(name, products):
        plain = getattr(cpu, name)

        def wrapper(*inputs):
            nonlocal total
            total += products(*(np.shape(x) for x in inputs))
            return plain(*inputs)

        monkeypatch.setattr(cpu, name, wrapper)

    size = math.prod
    counting("linear_forward", lambda x, w, b: 2 * size(x) * w[0])
    counting("linear_backward", lambda dy, x, w: 2 * 2 * size(x) * w[0])
    counting("matmul_forward", lambda a, b: 2 * size(a) * b[-1])
    counting("matmul_backward", lambda dy, a, b: 2 * 2 * size(a) * b[-1])
    counting("attention_forward", lambda qkv, H, kept: 2 * 2 * size(qkv) // 3 * qkv[1])
    counting("attention_backward", lambda dy, qkv, y, p, H: 4 * 2 * size(dy) * dy[1])
    model = GPT(random.Random(1), T=8, C=8, H=2, L=2)
    x, y = batch(["annabel", "bo"])
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


def test_nobody_writes_into_the_shares_that_the_way_back_needs():
    _, p = attention(*tensors((1, 2, 6)), 1)
    with pytest.raises(ValueError, match="read-only"):
        p *= 2.0
