"""The three products of linear, by tiles, against numpy in float64."""

import inspect
from collections import Counter

import numpy as np
import pytest

from engine import cpu
from engine.backend import fallbacks
from engine.ops import linear
from kernels import device, matmul, roofline, simulate
from kernels.device import DeviceArray, put
from model.gpt import CONFIGS
from tests.kernels.arrays import check_slopes, double, near, random

# Several tiles along each axis, the last one ragged, and several turns of the loop.
SMALL = {"BLOCK_N": 16, "BLOCK_C": 16, "BLOCK_K": 32}
SIZES = ((1, 1, 1), (5, 7, 3), (33, 1, 7), (33, 17, 47), (16, 32, 64), (37, 33, 129), (70, 129, 33))
# Triton's interpreter takes a second for few tiles.
SIZES = SIZES[: 4 if device.chosen == "interpret" else None]
sizes = pytest.mark.parametrize("N, C, K", SIZES)
simulated = pytest.mark.skipif(device.chosen != "simulate", reason="asks the simulator")


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(matmul, "chosen", lambda product: SMALL)


def check_products(N, C, K):
    x, weight, bias, dy = random(N, C), random(K, C), random(K), random(N, K)
    X, W, DY = map(double, (x, weight, dy))
    y = matmul.linear_forward(x, weight, bias)
    near(y, cpu.linear_forward(X, W, double(bias)), abs(X) @ abs(W.T) + 1)
    dx, dweight, dbias = matmul.linear_backward(dy, x, weight)
    want = cpu.linear_backward(DY, X, W)
    terms = abs(DY) @ abs(W), abs(DY.T) @ abs(X), abs(DY).sum(0)
    for got, wanted, size in zip((dx, dweight, dbias), want, terms):
        near(got, wanted, size)


@sizes
def test_products(N, C, K, small):
    check_products(N, C, K)


@pytest.mark.parametrize("parts", (1, 2, 3, 8))
def test_dweight_in_parts(parts, small, monkeypatch):
    # dweight has four tiles: so many programs are wanted.
    monkeypatch.setattr(matmul, "ENOUGH", 4 * parts)
    dy, x = random(2, 75, 20), random(2, 75, 33)
    grids, launch = [], matmul.matmul_kernel.launch

    def watched(grid, **arguments):
        grids.append(grid)
        launch(grid, **arguments)

    monkeypatch.setattr(matmul.matmul_kernel, "launch", watched)
    dweight = matmul.linear_dweight(dy, x, SMALL)
    near(dweight, double(dy).reshape(150, 20).T @ double(x).reshape(150, 33))
    # A part is a multiple of BLOCK_C: 150 rows in eight parts of 19 would be, in five of 32.
    assert grids == [(4, min(parts, 5))]


@pytest.mark.parametrize("group", (1, 2, 3, 100))
def test_the_order_of_the_tiles_changes_no_number(group, small, monkeypatch):
    x, weight = random(70, 33), random(129, 33)
    want = matmul.linear_forward(x, weight).numpy()
    monkeypatch.setattr(matmul, "GROUP", group)
    assert (matmul.linear_forward(x, weight).numpy() == want).all()


def test_products_by_tiles_as_they_are():
    check_products(130, 65, 70)


def test_axes_in_front_and_no_bias(small):
    x, weight, dy = random(2, 5, 33), random(18, 33), random(2, 5, 18)
    y = matmul.linear_forward(x, weight)
    near(y, cpu.linear_forward(double(x), double(weight)))
    got = matmul.linear_backward(dy, x, weight, biased=False)
    want = cpu.linear_backward(*map(double, (dy, x, weight)), biased=False)
    assert len(got) == len(want) == 2
    for one, other in zip(got, want):
        near(one, other)


def test_what_is_given_stays_as_it_was(small):
    x, weight, dy = random(20, 33), random(18, 33), random(20, 18)
    before = [array.numpy() for array in (x, weight, dy)]
    matmul.linear_forward(x, weight)
    matmul.linear_backward(dy, x, weight)
    for array, numbers in zip((x, weight, dy), before):
        assert (array.numpy() == numbers).all()


@pytest.mark.parametrize("name", ("linear_forward", "linear_backward"))
def test_arguments_are_those_of_the_twin(name):
    ours, twin = (inspect.signature(getattr(module, name)) for module in (matmul, cpu))
    assert ours == twin


@simulated
def test_each_number_fetched_serves_a_row_or_column_of_a_tile(small, monkeypatch):
    fetched = Counter()

    def load(pointer, mask, **rest):
        programs = len(simulate.Launch.now.programs)
        fetched[pointer.array.name] += mask.data.sum() * programs // len(mask.data)
        return simulate.load(pointer, mask, **rest)

    monkeypatch.setattr(simulate.tl, "load", load)
    N, C, K = 48, 40, 64
    matmul.linear_forward(random(N, C), random(K, C))
    # A program for each number of y would fetch N * C * K of each.
    assert (fetched["a_ptr"], fetched["b_ptr"]) == (N * C * K // 32, N * C * K // 16)


@simulated
def test_places_beyond_32_bits(small):
    # Never written to, so that the system gives no memory for most of it.
    far = DeviceArray(np.zeros(2**31 + 5, np.float32))
    x = random(3, 5).numpy()
    for row in range(3):
        far[row * 2**30 : row * 2**30 + 5][...] = x[row]
    y = put(np.empty((3, 3), np.float32))
    matmul.matmul_kernel[(1, 1)](
        a_ptr=far, b_ptr=far, bias_ptr=None, y_ptr=y, a_row_stride=2**30, a_col_stride=1,
        b_row_stride=1, b_col_stride=2**30, N=3, C=5, K=3,
        C_EACH=5, HAS_BIAS=False, PRECISION="ieee", GROUP=1, **SMALL,
    )  # fmt: skip
    near(y, double(put(x)) @ double(put(x)).T)


@simulated
def test_results_beyond_32_bits(small):
    far = DeviceArray(np.zeros((9, 2**28), np.float32))
    a, b = random(9, 3), random(3, 32)
    # Of many tiles only the first of each row.
    matmul.matmul_kernel[(1, 1)](
        a_ptr=a, b_ptr=b, bias_ptr=None, y_ptr=far, a_row_stride=3, a_col_stride=1,
        b_row_stride=32, b_col_stride=1, N=9, C=3, K=2**28,
        C_EACH=3, HAS_BIAS=False, PRECISION="ieee", GROUP=1, **SMALL,
    )  # fmt: skip
    near(far[8:9].reshape(2**28)[:32], (double(a) @ double(b))[8])


@pytest.mark.parametrize("bias", ([], [(9,)]))
def test_slopes_are_those_of_nudges(bias):
    fallbacks.clear()
    check_slopes(linear, (2, 5, 7), (9, 7), *bias)
    assert not fallbacks


def test_costs_by_hand():
    costs = matmul.costs(roofline.sizes(CONFIGS["gpt2"], B=8))
    N, C, K = 8192, 768, 3072
    moved = N * C + K * C + K + N * K, N * K + 2 * N * C + 2 * K * C + K
    assert costs["linear_forward up"] == (4 * moved[0], N * K, 2 * N * C * K)
    assert costs["linear_backward up"] == (4 * moved[1], N * K, 4 * N * C * K)


@simulated
def test_programs_one_after_another(small, monkeypatch):
    x, weight, dy = random(37, 33), random(65, 33), random(37, 65)
    y, (dx, dweight, _) = matmul.linear_forward(x, weight), matmul.linear_backward(dy, x, weight)
    monkeypatch.setattr(simulate, "AT_ONCE", 1)
    assert np.array_equal(matmul.linear_forward(x, weight).numpy(), y.numpy())
    for one, other in zip(matmul.linear_backward(dy, x, weight), (dx, dweight)):
        assert np.array_equal(one.numpy(), other.numpy())
