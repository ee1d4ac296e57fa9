"""What the simulator does where programs differ, with numbers, and with sizes Triton refuses.

The kernels here run in Triton too: the same numbers, where this is told what is asked of both.
"""

import numpy as np
import pytest

from kernels import device
from kernels.device import empty, put, zeros
from kernels.language import jit, launches, tl

simulated = pytest.mark.skipif(device.chosen != "simulate", reason="about the simulator")


def numbers(n, dtype=np.float32):
    return put(np.arange(n, dtype=dtype))


@jit
def copy_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + i, tl.load(x_ptr + i, mask=i < n), mask=i < n)


def test_programs_cover_all_numbers():
    y = empty(1000)
    copy_kernel[(63,)](x_ptr=numbers(1000), y_ptr=y, n=1000, BLOCK=16)
    assert (y.numpy() == np.arange(1000)).all()


def test_launches_are_counted():
    launches.clear()
    for _ in range(3):
        copy_kernel[(1,)](x_ptr=numbers(8), y_ptr=empty(8), n=8, BLOCK=8)
    assert launches == {"copy_kernel": 3}


def test_what_the_mask_leaves_out_stays():
    y = numbers(3)
    copy_kernel[(5,)](x_ptr=zeros(3), y_ptr=y, n=0, BLOCK=16)
    assert y.numpy().tolist() == [0, 1, 2]


@jit
def places_kernel(y_ptr, J, K):
    i, j, k = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    tl.store(y_ptr + (i * J + j) * K + k, i * 100 + j * 10 + k)


def test_a_grid_of_three_axes():
    y = empty((2, 3, 4))
    places_kernel[(2, 3, 4)](y_ptr=y, J=3, K=4)
    i, j, k = np.indices((2, 3, 4))
    assert (y.numpy() == i * 100 + j * 10 + k).all()


@jit
def sum_kernel(x_ptr, total_ptr, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(total_ptr, tl.sum(tl.load(x_ptr + i), axis=0))


def test_all_programs_add_to_one_number():
    total = zeros(1)
    sum_kernel[(40,)](x_ptr=numbers(640), total_ptr=total, BLOCK=16)
    assert total.item() == 640 * 639 / 2


@jit
def ends_kernel(start_ptr, end_ptr, y_ptr):
    """y[p] = the sum of range(start[p], end[p], 2), after a store and two atomic_add"""
    p = tl.program_id(0)
    tl.store(y_ptr + p, -1.0)
    tl.atomic_add(y_ptr + tl.num_programs(0) + p, 0.5)
    tl.atomic_add(y_ptr + tl.num_programs(0) + p, 0.5)
    total = p * 0
    for i in range(tl.load(start_ptr + p), tl.load(end_ptr + p), 2):
        total += i
    if total > 100:
        total = p * 0 + 100
    tl.store(y_ptr + p, total)


def test_loops_and_ifs_that_differ_by_program():
    rng = np.random.default_rng(1)
    start, end = rng.integers(-5, 30, (2, 600), np.int32)
    y = zeros(1200)
    ends_kernel[(600,)](start_ptr=put(start), end_ptr=put(end), y_ptr=y)
    sums = [min(100, sum(range(i, j, 2))) for i, j in zip(start.tolist(), end.tolist())]
    assert y.numpy()[:600].tolist() == sums
    # What a group did before it was split is not done twice.
    assert (y.numpy()[600:] == 1).all()


def test_programs_in_groups_of_another_size(monkeypatch):
    monkeypatch.setattr("kernels.simulate.AT_ONCE", 7)
    test_programs_cover_all_numbers()
    test_loops_and_ifs_that_differ_by_program()
    test_all_programs_add_to_one_number()


@jit
def products_kernel(a_ptr, b_ptr, y_ptr, N: tl.constexpr):
    """y = a @ b.T + a, and behind it the largest of each row; a, b, y of each program"""
    p = tl.program_id(0)
    i = tl.arange(0, N)
    square = p * N * N + i[:, None] * N + i[None, :]
    a, b = tl.load(a_ptr + square), tl.load(b_ptr + square)
    y = tl.dot(a, tl.trans(b), acc=a, input_precision="ieee")
    row = p * (N * N + N) + i
    tl.store(y_ptr + p * (N * N + N) + i[:, None] * N + i[None, :], y)
    tl.store(y_ptr + row + N * N, tl.max(y, axis=1))


def test_products():
    rng = np.random.default_rng(2)
    a, b = rng.integers(-4, 5, (2, 3, 16, 16)).astype(np.float32)
    y = empty((3, 17, 16))
    products_kernel[(3,)](a_ptr=put(a), b_ptr=put(b), y_ptr=y, N=16)
    want = a @ b.swapaxes(1, 2) + a
    assert (y.numpy()[:, :16] == want).all()
    assert (y.numpy()[:, 16] == want.max(2)).all()


@jit
def types_kernel(x_ptr, y_ptr, n, factor, large):
    x = tl.load(x_ptr)
    tl.store(y_ptr, (1.0 - factor) * x)
    tl.store(y_ptr + 1, n / 7 + x)
    tl.store(y_ptr + 2, large * (x + 2.0))
    tl.store(y_ptr + 3, tl.load(x_ptr, mask=n < 0))
    tl.store(y_ptr + 4, tl.where(x > 0, 0.1, 0.2))


@simulated
def test_numbers_are_float32():
    y = empty(5)
    x, large = put(np.ones(1, np.float32)), 2**24 + 1
    types_kernel[(1,)](x_ptr=x, y_ptr=y, n=6, factor=0.999, large=large)
    y, one = y.numpy(), np.float32(1)
    assert y[0] == one - np.float32(0.999) != np.float32(1 - 0.999)
    assert y[1] == np.float32(6) / np.float32(7) + one != np.float32(6 / 7 + 1)
    assert y[2] == np.float32(large) * np.float32(3) != np.float32(large * 3)
    # What is left out and not replaced could be anything.
    assert np.isnan(y[3])
    assert y[4] == np.float32(0.1)


@jit
def exp_kernel(x_ptr, y_ptr):
    i = tl.arange(0, 4)
    x = tl.load(x_ptr + i, eviction_policy="evict_first")
    tl.store(y_ptr + i, 2.0 * tl.exp(-1.0 * x) + tl.log(x + 1.0))


def test_a_function_of_each_number():
    x, y = numbers(4), empty(4)
    exp_kernel[(1,)](x_ptr=x, y_ptr=y)
    assert np.allclose(
        y.numpy(), 2 * np.exp(-np.arange(4)) + np.log(np.arange(1, 5)), rtol=1e-6, atol=0
    )


@jit
def table_kernel(y_ptr, ROWS: tl.constexpr, COLS: tl.constexpr):
    """y[i, j] = 10 * i + j below the diagonal, else 7"""
    i, j = tl.arange(0, ROWS)[:, None], tl.arange(0, COLS)[None, :]
    y = tl.full((ROWS, COLS), 7, tl.float32) + tl.zeros((ROWS, COLS), tl.int32)
    tl.store(y_ptr + i * COLS + j, tl.where(i > j, 10 * i + j, y))


def test_blocks_of_two_axes():
    y = empty((4, 8))
    table_kernel[(1,)](y_ptr=y, ROWS=4, COLS=8)
    i, j = np.indices((4, 8))
    assert (y.numpy() == np.where(i > j, 10 * i + j, 7)).all()


@jit
def reduce_kernel(x_ptr, y_ptr, N: tl.constexpr):
    """y = the sums along each axis of the roots of x, then the largest without x's first row"""
    i, j = tl.arange(0, N)[:, None], tl.arange(0, N)[None, :]
    x = tl.load(x_ptr + i * N + j)
    root = tl.sqrt(x)
    place = tl.arange(0, N)
    tl.store(y_ptr + place, tl.sum(root, axis=0))
    tl.store(y_ptr + N + place, tl.sum(root, axis=1))
    tl.store(y_ptr + 2 * N + place, tl.max(tl.where(~(i < 1), -x, -99.0), axis=0))


def test_sums_and_maxima():
    x, y = np.random.default_rng(3).integers(0, 9, (2, 8, 8))[0].astype(np.float32) ** 2, empty(24)
    reduce_kernel[(1,)](x_ptr=put(x), y_ptr=y, N=8)
    want = [*np.sqrt(x).sum(0), *np.sqrt(x).sum(1), *(-x[1:]).max(0)]
    assert y.numpy().tolist() == want


@jit
def far_kernel(y_ptr, stride):
    row = tl.program_id(0)
    tl.store(y_ptr, row * stride, mask=row == 2)


def test_whole_numbers_overflow_as_on_a_gpu():
    # 2 * (2 ** 31 - 1) = 2 ** 32 - 2, of which 32 bits with a sign are -2.
    y = zeros(1, np.int64)
    far_kernel[(4,)](y_ptr=y, stride=2**31 - 1)
    assert y.item() == -2
    far_kernel[(4,)](y_ptr=y, stride=2**31)
    assert y.item() == 2**32


@jit
def dot_kernel(N: tl.constexpr):
    tl.dot(tl.zeros((N, 16), tl.float32), tl.zeros((16, 16), tl.float32))


@simulated
def test_sizes_that_triton_refuses():
    with pytest.raises(ValueError, match=r"tl.dot: got the sizes \(8, 16, 16\); expected at least"):
        dot_kernel[(1,)](N=8)
    with pytest.raises(ValueError, match=r"tl.arange: got 12 numbers; expected a power of 2"):
        copy_kernel[(1,)](x_ptr=numbers(9), y_ptr=empty(9), n=9, BLOCK=12)
    with pytest.raises(ValueError, match="expected axes 1 and 2 up to 65535"):
        copy_kernel[(1, 65536)](x_ptr=numbers(9), y_ptr=empty(9), n=9, BLOCK=16)


@jit
def block_kernel():
    if tl.arange(0, 2) > 0:
        pass


@simulated
def test_what_is_no_argument_and_no_condition():
    with pytest.raises(
        ValueError, match="copy_kernel: got x_ptr of type ndarray; expected an array"
    ):
        copy_kernel[(1,)](x_ptr=np.ones(9), y_ptr=numbers(9), n=9, BLOCK=16)
    with pytest.raises(ValueError, match=r"if: got a block of \(2,\); expected one number"):
        block_kernel[(1,)]()


@jit
def quotients_kernel(y_ptr, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(y_ptr + i, (i - 3) // 2)
    tl.store(y_ptr + BLOCK + i, (i - 3) % 2)


def test_whole_numbers_are_divided_towards_0():
    y = empty(16)
    quotients_kernel[(1,)](y_ptr=y, BLOCK=8)
    assert y.numpy().tolist() == [-1, -1, 0, 0, 0, 1, 1, 2, -1, 0, -1, 0, 1, 0, 1, 0]


@jit
def before_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(y_ptr + i, -tl.load(x_ptr + BLOCK - 1 - i))


def test_places_are_counted_back_and_signs_turned():
    x, y = put(np.arange(4, dtype=np.float32)), empty(4)
    before_kernel[(1,)](x_ptr=x, y_ptr=y, BLOCK=4)
    assert y.numpy().tolist() == [-3, -2, -1, 0]
