"""Sums of many rows, and rows by number: kernels against numpy in float64, and bit for bit."""

import numpy as np
import pytest

from engine import cpu, ops
from engine.backend import fallbacks
from kernels import device, rows, scatter, simulate
from kernels.device import put
from tests.kernels.arrays import WIDE, begins, check_slopes, double, far, near, random

# (…, C): few rows and many, of one block of columns and of several, full and ragged.
SHAPES = ((1, 1), (37, 1), (48, 64), (2, 53, 7), (70, 129), (3, 1031))
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)


@pytest.fixture(autouse=True)
def few_rows_a_program(monkeypatch):
    monkeypatch.setattr(rows, "HELD", 128)
    monkeypatch.setattr(scatter, "PARTS", 3)
    monkeypatch.setattr(scatter, "PIECE", 4)


@pytest.mark.parametrize("sums", (scatter.column_sums, scatter.column_sums_atomic))
@shapes
def test_column_sums(shape, sums):
    dy = random(*shape)
    near(sums(dy), cpu.sum_over_rows(double(dy)), size=cpu.sum_over_rows(abs(double(dy))))


@pytest.mark.parametrize("left", (0, 1, 2, 3))
def test_unbroadcast(left):
    gradient = random(5, 7, 3)
    shape = gradient.shape[left:]
    want = cpu.unbroadcast(double(gradient), shape)
    near(scatter.unbroadcast(gradient, shape), want, double(gradient))


@pytest.mark.parametrize("shape", ((2,), (2, 1), (1, 2, 3)))
def test_unbroadcast_to_what_is_not_the_last_axes(shape):
    with pytest.raises(ValueError, match=r"backward: got a gradient of shape \(2, 3\); expected"):
        scatter.unbroadcast(random(2, 3), shape)


def test_more_columns_than_a_grid_has_programs(monkeypatch):
    monkeypatch.setattr(scatter, "WIDEST", 1024)
    assert scatter.column_sums(random(2, 1024)).shape == (1024,)
    with pytest.raises(ValueError, match="got 1,025 columns; expected at most 1,024"):
        scatter.column_sums(random(2, 1025))


@shapes
def test_layernorm_sums(shape):
    x, dy, weight = random(*shape), random(*shape), random(shape[-1])
    saved = rows.layernorm_forward(x, weight, weight)[1]
    wanted = tuple(double(each) for each in (dy, x, weight, *saved))
    wanted = cpu.layernorm_backward(*wanted[:3], wanted[3:])[1:]
    for got, want in zip(scatter.layernorm_sums(dy, x, saved), wanted):
        near(got, want, size=cpu.sum_over_rows(abs(double(dy))))


def places(shape, V):
    """Numbers below V: of 3 many, of 5 none, the last among them."""
    index = np.arange(np.prod(shape)) * 4 % V
    index[: index.size // 2] = 3
    return np.where(index == 5, 3, index).reshape(shape)


@shapes
def test_embedding_forward(shape):
    weight, index = random(11, shape[-1]), places(shape[:-1], 11)
    assert np.array_equal(scatter.embedding_forward(weight, index).numpy(), weight.numpy()[index])


@pytest.mark.parametrize(
    "backward", (scatter.embedding_backward, scatter.embedding_backward_atomic)
)
@shapes
def test_embedding_backward(shape, backward):
    dy, index = random(*shape), places(shape[:-1], 11)
    dweight = backward(dy, index, (11, shape[-1]))
    near(dweight, cpu.embedding_backward(double(dy), index, (11, shape[-1])))
    assert not dweight.numpy()[5].any()


@pytest.mark.parametrize("dtype", (np.uint8, np.int64, np.uint64))
def test_an_index_of_any_whole_numbers(dtype):
    weight, dy, index = random(5, 3), random(4, 3), np.array([4, 0, 4, 1], dtype)
    assert np.array_equal(scatter.embedding_forward(weight, index).numpy(), weight.numpy()[index])
    dweight = scatter.embedding_backward(dy, index, (5, 3))
    near(dweight, cpu.embedding_backward(double(dy), index, (5, 3)))


def test_the_order_of_an_embedding(monkeypatch):
    monkeypatch.setattr(scatter, "PIECE", 2)
    order, start, first = scatter.embedding_order(np.array([2, 0, 2, 2, 1]), 4)
    assert order.tolist() == [1, 4, 0, 2, 3]
    assert start.tolist() == [0, 1, 2, 4, 5] and first.tolist() == [0, 1, 2, 4, 4]


def test_two_stages_repeat_bit_for_bit(monkeypatch):
    dy, index = random(70, 33), places((70,), 11)

    def sums():
        return scatter.column_sums(dy), scatter.embedding_backward(dy, index, (11, 33))

    once = sums()
    monkeypatch.setattr(simulate, "AT_ONCE", 1)
    for _ in range(2):
        for got, before in zip(sums(), once):
            assert np.array_equal(got.numpy(), before.numpy())


def test_slopes_are_those_of_nudges():
    fallbacks.clear()
    index = places((3, 40), 11)
    check_slopes(lambda weight: ops.embedding(weight, index), (11, 33))
    check_slopes(lambda x, y: x + y, (6, 4, 33), (4, 33))
    assert not fallbacks


@pytest.mark.skipif(device.chosen != "simulate", reason="takes 8 GB an array on a GPU")
def test_rows_beyond_2_to_the_31():
    x = np.random.default_rng(1).normal(size=(2, 16)).astype(np.float32)
    block, X, out = {"C": WIDE, "BLOCK_C": 16}, far(*x), put(np.zeros(16, np.float32))
    index, ends = put(np.array([2, 1, 0], np.int32)), put(np.array([0, 1, 1, 2], np.int32))

    y = far()
    given = {"index_ptr": index, "N": 3, "ROWS": 4, **block}
    scatter.embedding_forward_kernel[(1,)](weight_ptr=X, y_ptr=y, **given)
    near(begins(y), x[::-1])
    y = far()
    scatter.embedding_atomic_kernel[(1,)](dy_ptr=X, dweight_ptr=y, **given)
    near(begins(y), x[::-1])
    given = {"order_ptr": index, "start_ptr": ends, **block}
    scatter.embedding_pieces_kernel[(1, 1)](dy_ptr=X, partial_ptr=out, **given)
    near(out, x[1])
    partial = far(x[0])
    partial.memory[WIDE : WIDE + 16] = x[1]
    given = {"partial_ptr": partial, "first_ptr": ends, **block}
    scatter.embedding_rows_kernel[(3, 1)](dweight_ptr=y, **given)
    near(begins(y), x)

    block.update(N=3, ROWS_EACH=3, BLOCK_N=2)
    scatter.column_sums_kernel[(1, 1)](dy_ptr=X, out_ptr=out, **block)
    near(out, x[0] + x[1])
    out = put(np.zeros(16, np.float32))
    scatter.column_sums_atomic_kernel[(1, 1)](dy_ptr=X, out_ptr=out, **block)
    near(out, x[0] + x[1])
    given = {"mean_ptr": put(np.ones(3, np.float32)), "r_ptr": put(np.ones(3, np.float32)), **block}
    scatter.layernorm_sums_kernel[(1, 1)](dy_ptr=X, x_ptr=X, out_ptr=y, **given)
    near(y.memory[:16], (x * (x - 1)).sum(axis=0))
    near(y.memory[WIDE : WIDE + 16], x[0] + x[1])
