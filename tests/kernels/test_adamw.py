"""The end of a step on flat arrays against float64: sizes that fill no block, several a program."""

import math

import numpy as np
import pytest

from engine import cpu, gpu
from kernels import adamw
from kernels.device import put
from tests.kernels.arrays import double, near, random

SIZES = [1, 7, 16, 64, 65, 400, 1007]
SETTINGS = 7, 1e-2, (0.9, 0.999), 1e-8


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """1,007 numbers are 16 blocks, four for each of four programs."""
    monkeypatch.setattr(adamw, "BLOCK", 64)
    monkeypatch.setattr(adamw, "PARTS", 4)


@pytest.mark.parametrize("n", SIZES)
def test_the_norm_in_two_stages(n):
    x = random(n)
    partial = adamw.square_sum(x)
    assert partial.size == min(4, -(-n // 64))
    norm = adamw.norm(partial)
    assert norm.shape == ()
    near(norm, np.linalg.norm(double(x)))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("max_norm", [1e-3, 1.0, 1e3, math.inf])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_a_step_is_that_of_the_twin(n, max_norm, weight_decay):
    w, grad, m, v = arrays = [random(n), random(n), random(n), put(random(n).numpy() ** 2)]
    before = [double(x) for x in arrays]
    norm = np.linalg.norm(before[1])
    want = cpu.adamw_step(*before, *SETTINGS, weight_decay, norm, max_norm)
    clipping = adamw.norm(adamw.square_sum(grad)), max_norm
    got = adamw.adamw_step(*arrays, *SETTINGS, weight_decay, *clipping)
    assert got[0] is w and got[1] is m and got[2] is v
    for x, y in zip(got, want):
        near(x, y)
    assert np.array_equal(double(grad), before[1])


@pytest.mark.parametrize("size", [1e-4, 1e-2])
def test_the_first_step_goes_as_far_as_the_learning_rate(size):
    """Whatever the size of the gradient: m' / sqrt(v') is 1. That asks for an exact 1 - beta."""
    grad = put(np.full(100, size, np.float32))
    w, m, v = (put(np.zeros(100, np.float32)) for _ in range(3))
    adamw.adamw_step(w, grad, m, v, 1, 1.0, (0.9, 0.999), 1e-12, 0.0)
    near(w, np.full(100, -1.0))
    near(m, np.full(100, 0.1 * size))
    near(v, np.full(100, 0.001 * size**2))


def test_padding_stays_0():
    grad, w, m, v = (put(np.zeros(16, np.float32)) for _ in range(4))
    adamw.adamw_step(w, grad, m, v, *SETTINGS, 0.1, adamw.norm(adamw.square_sum(grad)), 1.0)
    assert not any(x.numpy().any() for x in (w, m, v))


def test_a_part_is_stepped_and_filled_alone():
    arrays = [random(100) for _ in range(3)] + [put(random(100).numpy() ** 2)]
    before = [x.numpy() for x in arrays]
    adamw.adamw_step(*(x[16:48] for x in arrays), *SETTINGS, 0.1)
    changed = arrays[0].numpy() != before[0]
    assert changed[16:48].all() and not changed[:16].any() and not changed[48:].any()
    assert adamw.fill(arrays[0][16:80], 0.5) is not None
    x = arrays[0].numpy()
    assert (x[16:80] == 0.5).all() and (x[80:] == before[0][80:]).all() and x[15] == before[0][15]


@pytest.mark.parametrize("shape", [(), (7,), (64,), (5, 33)])
def test_fill(shape):
    x = put(np.full(shape, np.nan, np.float32))
    assert adamw.fill(x, 0.25) is x
    near(x, np.full(shape, 0.25))


def test_a_sum_of_single_numbers():
    losses = [put(np.array(number, np.float32)) for number in (1.0, 2.5, -0.25)]
    assert gpu.total(*losses).item() == 3.25 and gpu.total(losses[0]).item() == 1.0
    assert cpu.total(np.array(1.0), 2.5) == 3.5


def test_a_norm_repeats_to_the_last_bit():
    x = random(1007)
    assert len({adamw.norm(adamw.square_sum(x)).item() for _ in range(5)}) == 1


def test_the_engine_asks_these_kernels():
    for name in ("adamw_step", "fill", "norm", "square_sum"):
        assert getattr(gpu, name) is getattr(adamw, name)
