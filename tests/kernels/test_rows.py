"""LayerNorm and softmax by kernels against their numpy twins in float64, and against nudges."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine import cpu, gpu, ops
from engine.backend import fallbacks
from kernels import device, rows, simulate
from kernels.device import put
from kernels.language import tl
from tests.kernels.arrays import WIDE, begins, check_slopes, double, far, near, random

# One program and several, full and ragged; a row alone in its program, of a block with padding.
SHAPES = ((1, 1), (37, 1), (3, 7), (2, 19, 33), (37, 129), (5, 64), (3, 2053))
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)


@pytest.fixture(autouse=True)
def few_numbers_a_program(monkeypatch):
    monkeypatch.setattr(rows, "HELD", 128)


def layernorm_arguments(shape):
    return random(*shape), random(shape[-1]), random(shape[-1])


@shapes
def test_layernorm_forward(shape):
    x, weight, bias = layernorm_arguments(shape)
    y, (mean, r) = rows.layernorm_forward(x, weight, bias)
    want, saved = cpu.layernorm_forward(double(x), double(weight), double(bias))
    near(y, want)
    near(mean, saved[0], size=double(x))
    near(r, saved[1])


@shapes
def test_layernorm_backward(shape):
    x, weight, bias = layernorm_arguments(shape)
    dy, saved = random(*shape), rows.layernorm_forward(x, weight, bias)[1]
    fallbacks.clear()
    got = gpu.layernorm_backward(dy, x, weight, saved)
    assert not fallbacks
    saved = tuple(double(each) for each in saved)
    wanted = cpu.layernorm_backward(double(dy), double(x), double(weight), saved)
    sizes = saved[1] * double(dy) * double(weight), *[cpu.sum_over_rows(abs(double(dy)))] * 2
    for one, want, size in zip(got, wanted, sizes):
        near(one, want, size)


def test_eps_keeps_a_row_of_equal_numbers_finite():
    x, weight, bias = put(np.full((2, 5), 3.0, np.float32)), random(5), random(5)
    y, (_, r) = rows.layernorm_forward(x, weight, bias, eps=0.25)
    near(y, [bias.numpy()] * 2)
    assert r.numpy().tolist() == [[2.0], [2.0]]


@shapes
@pytest.mark.parametrize("temperature", (1, 0.7))
def test_softmax(shape, temperature):
    logits, dy = random(*shape), random(*shape)
    p = rows.softmax_forward(logits, temperature)
    near(p, cpu.softmax_forward(double(logits), temperature))
    dlogits = rows.softmax_backward(dy, p, temperature)
    want = cpu.softmax_backward(double(dy), double(p), temperature)
    near(dlogits, want, size=double(p) * double(dy))


def test_softmax_of_large_and_of_negative_logits():
    logits = np.array([[1e4, 1e4 - 1, -1e4], [-1e4, -1e4 - 1, -3e4]], np.float32)
    near(rows.softmax_forward(put(logits)), cpu.softmax_forward(logits.astype(np.float64)))


def test_slopes_are_those_of_nudges():
    fallbacks.clear()
    check_slopes(ops.layernorm, (5, 33), (33,), (33,))
    check_slopes(lambda x: ops.softmax(x, 0.7), (5, 33))
    assert not fallbacks


def test_rows_that_fit_and_rows_that_are_too_long():
    x = random(2, 16384)
    near(rows.softmax_forward(x), cpu.softmax_forward(double(x)))
    with pytest.raises(ValueError, match="got rows of 16,385 numbers; expected at most 16,384"):
        rows.softmax_forward(random(1, 16385))


@pytest.mark.skipif(device.chosen != "simulate", reason="the simulator counts")
def test_each_number_is_moved_once(monkeypatch):
    """Between memory and registers go the bytes of costs, and little besides: weight, mean, …"""
    s = SimpleNamespace(N=512, C=64, T=64)
    x, weight, bias = layernorm_arguments((s.N, s.C))
    moved = []

    def counting(move):
        def counted(pointer, *value, mask, **other):
            moved.append(4 * int(np.broadcast_to(mask.data, pointer.places.data.shape).sum()))
            return move(pointer, *value, mask=mask, **other)

        return counted

    monkeypatch.setattr(rows, "HELD", 2048)
    monkeypatch.setattr(tl, "load", counting(tl.load))
    monkeypatch.setattr(tl, "store", counting(tl.store))
    for name, arguments in (
        ("layernorm_forward", (x, weight, bias)),
        ("softmax_forward", (x,)),
        ("softmax_backward", (x, x, 1.0)),
    ):
        moved.clear()
        getattr(rows, name)(*arguments)
        assert 1 <= sum(moved) / rows.costs(s)[name][0] < 1.1


def test_programs_one_after_another(monkeypatch):
    x, weight, bias = layernorm_arguments((37, 33))
    p, (y, saved) = rows.softmax_forward(x), rows.layernorm_forward(x, weight, bias)
    dx = rows.layernorm_dx(p, x, weight, saved)
    monkeypatch.setattr(simulate, "AT_ONCE", 1)
    assert np.array_equal(rows.softmax_forward(x).numpy(), p.numpy())
    assert np.array_equal(rows.layernorm_forward(x, weight, bias)[0].numpy(), y.numpy())
    assert np.array_equal(rows.layernorm_dx(p, x, weight, saved).numpy(), dx.numpy())


@pytest.mark.skipif(device.chosen != "simulate", reason="takes 8 GB an array on a GPU")
def test_rows_beyond_2_to_the_31():
    x, dy, weight, bias = np.random.default_rng(1).normal(size=(4, 2, 16)).astype(np.float32)
    X, DY, W, B, y = far(*x), far(*dy), put(weight[0]), put(bias[0]), far()
    mean, r = put(np.zeros(3, np.float32)), put(np.ones(3, np.float32))
    block = {"N": 3, "C": WIDE, "ROWS": 4, "BLOCK_C": 16}
    given = {"weight_ptr": W, "mean_ptr": mean, "r_ptr": r, **block}
    # Means over so long a row are nearly 0.
    rows.layernorm_forward_kernel[(1,)](x_ptr=X, bias_ptr=B, y_ptr=y, eps=1.0, **given)
    near(begins(y), x * weight[0] + bias[0])
    rows.layernorm_dx_kernel[(1,)](dy_ptr=DY, x_ptr=X, dx_ptr=y, **given)
    near(begins(y), dy * weight[0])
    rows.softmax_forward_kernel[(1,)](logits_ptr=X, p_ptr=y, temperature=1.0, **block)
    near(begins(y), cpu.softmax_forward(x))
    rows.softmax_backward_kernel[(1,)](dy_ptr=DY, p_ptr=X, dlogits_ptr=y, temperature=1.0, **block)
    near(begins(y), cpu.softmax_backward(dy, x, 1.0))
