import math
import random

import numpy as np
import pytest

from engine import cpu
from engine.autograd import Tensor, parents_first
from engine.cost import count_bytes
from engine.nudge import gradcheck
from engine.ops import attention, layernorm, linear, softmax, where
from model.data import batch
from model.gpt import GPT, GPTConfig, Linear
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


def test_fused_nodes_move_fewer_bytes():
    (qkv,) = tensors((2, 16, 48))
    fused = count_bytes(lambda: attention(qkv, 4).sum())
    single = count_bytes(lambda: attention_of_single_operations(qkv, 4).sum())
    assert fused[0] == 2 and single[0] > 10
    assert fused[1] < single[1] / 3


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
