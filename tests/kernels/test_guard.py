"""What the guard finds in a simulated launch, in which words; and what it lets pass."""

import numpy as np
import pytest

from kernels import device
from kernels.device import empty, put, zeros
from kernels.guard import Guard
from kernels.language import jit, tl

pytestmark = pytest.mark.skipif(device.chosen != "simulate", reason="about the simulator")


def numbers(n, dtype=np.float32):
    return put(np.arange(n, dtype=dtype))


@jit
def shift_kernel(x_ptr, y_ptr, n, shift, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i + shift, mask=i < n, other=0.0)
    tl.store(y_ptr + i, x, mask=i < n)


@pytest.mark.parametrize("shift, place, program", ((1, 20, 1), (-1, -1, 0)))
def test_a_read_outside(shift, place, program):
    message = rf"shift_kernel: got a read of x_ptr\[{place}\] by program \({program}, 0, 0\)"
    with pytest.raises(ValueError, match=message + "; expected a place from 0 to 19"):
        shift_kernel[(2,)](x_ptr=numbers(20), y_ptr=numbers(20), n=20, shift=shift, BLOCK=16)


def test_a_write_outside():
    message = r"got a write of y_ptr\[19\] by program \(1, 0, 0\); expected a place from 0 to 18"
    with pytest.raises(ValueError, match=message):
        shift_kernel[(2,)](x_ptr=numbers(20), y_ptr=numbers(19), n=20, shift=0, BLOCK=16)


def test_what_the_mask_leaves_out_may_lie_outside():
    y = numbers(3)
    shift_kernel[(5,)](x_ptr=numbers(3), y_ptr=y, n=0, shift=10**6, BLOCK=16)
    assert y.numpy().tolist() == [0, 1, 2]


@jit
def far_kernel(x_ptr, stride):
    row = tl.program_id(0)
    tl.load(x_ptr + row * stride, mask=row == 2)


def test_a_place_that_32_bits_cannot_hold():
    with pytest.raises(ValueError, match=r"x_ptr\[-2\] by program \(2, 0, 0\)"):
        far_kernel[(4,)](x_ptr=numbers(8), stride=2**31 - 1)


@jit
def moved_kernel(x_ptr, shift, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    from_there = (i + shift >= 0) & (i + shift < 2 * BLOCK)
    tl.store(x_ptr + i, tl.load(x_ptr + i + shift, mask=from_there, other=0.0))


# Forwards and backwards: the write comes after the read, or before.
@pytest.mark.parametrize("shift", (16, -16))
@pytest.mark.parametrize("at_once", (256, 1))
def test_a_read_of_what_another_program_writes(shift, at_once, monkeypatch):
    monkeypatch.setattr("kernels.simulate.AT_ONCE", at_once)
    with pytest.raises(ValueError, match=r"a read of x_ptr.*expected nothing that another"):
        moved_kernel[(2,)](x_ptr=numbers(64)[16:48], shift=shift, BLOCK=16)


def test_a_program_may_read_what_it_wrote_itself():
    x = numbers(32)
    moved_kernel[(2,)](x_ptr=x, shift=0, BLOCK=16)
    assert (x.numpy() == np.arange(32)).all()


@jit
def halves_kernel(x_ptr, BLOCK: tl.constexpr):
    """Program 0 copies from the second half, program 1 fills up; both write in the first half."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + i, tl.load(x_ptr + 2 * BLOCK + i, mask=i < BLOCK, other=-1.0))


def test_reads_of_what_nobody_writes_and_of_what_the_mask_leaves_out():
    x = numbers(64)
    halves_kernel[(2,)](x_ptr=x, BLOCK=16)
    assert x.numpy()[:32].tolist() == [*range(32, 48), *[-1] * 16]


def test_one_array_given_twice_is_one_array():
    x = numbers(40)
    with pytest.raises(ValueError, match=r"a read of .*nothing that another"):
        shift_kernel[(2,)](x_ptr=x, y_ptr=x.reshape(8, 5), n=24, shift=4, BLOCK=16)


def test_arrays_that_share_some_numbers():
    x = numbers(40)
    message = r"shift_kernel: got .*_ptr and .*_ptr, which share some numbers; expected all or none"
    for one, other in ((x, x[8:]), (x[:20], x[19:]), (x[20:], x)):
        with pytest.raises(ValueError, match=message):
            shift_kernel[(1,)](x_ptr=one, y_ptr=other, n=1, shift=0, BLOCK=16)
    shift_kernel[(1,)](x_ptr=x[:20], y_ptr=x[20:], n=16, shift=0, BLOCK=16)
    assert (x.numpy()[20:36] == np.arange(16)).all()


@jit
def last_kernel(x_ptr, last_ptr, BLOCK: tl.constexpr):
    """Each program leaves the number of its block that comes last: all in one place."""
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + tl.program_id(0) * BLOCK + i)
    tl.store(last_ptr + i * 0, x, mask=i == BLOCK - 1)


def test_two_programs_write_one_number():
    message = r"\[0\] by program \(0, 0, 0\), and a write by program \(3, 0, 0\)"
    with pytest.raises(
        ValueError, match=message + "; expected one program to write it, or tl.atomic_add by all"
    ):
        last_kernel[(4,)](x_ptr=numbers(64), last_ptr=zeros(1), BLOCK=16)
    last = zeros(1)
    last_kernel[(1,)](x_ptr=numbers(16), last_ptr=last, BLOCK=16)
    assert last.item() == 15


def test_two_programs_that_do_not_run_at_the_same_moment(monkeypatch):
    monkeypatch.setattr("kernels.simulate.AT_ONCE", 1)
    with pytest.raises(ValueError, match=r"a write of last_ptr\[0\] by program \(1, 0, 0\)"):
        last_kernel[(4,)](x_ptr=numbers(64), last_ptr=zeros(1), BLOCK=16)


@jit
def same_kernel(y_ptr):
    tl.store(y_ptr, 1.0)


def test_two_programs_write_the_same():
    same_kernel[(1,)](y_ptr=empty(1))
    with pytest.raises(ValueError, match=r"expected one program to write it"):
        same_kernel[(2,)](y_ptr=empty(1))


@jit
def mixed_kernel(x_ptr, READS: tl.constexpr):
    tl.atomic_add(x_ptr, 1.0)
    if READS:
        tl.load(x_ptr)
    else:
        tl.store(x_ptr, 1.0)


def test_beside_atomics_nobody_reads_or_stores():
    message = r"a write of x_ptr\[0\] by program \(0, 0, 0\), and a write by tl.atomic_add"
    with pytest.raises(ValueError, match=message):
        mixed_kernel[(1,)](x_ptr=numbers(1), READS=False)
    with pytest.raises(ValueError, match=message.replace("a write of", "a read of")):
        mixed_kernel[(2,)](x_ptr=numbers(1), READS=True)


@jit
def scatter_kernel(x_ptr, index_ptr, y_ptr, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(y_ptr + tl.load(index_ptr + i), tl.load(x_ptr + i))


def test_two_numbers_for_one_place():
    index = np.arange(16, dtype=np.int32)
    scatter_kernel[(1,)](x_ptr=numbers(16), index_ptr=put(index), y_ptr=numbers(16), BLOCK=16)
    index[5] = 9
    with pytest.raises(ValueError, match=r"two numbers for y_ptr\[9\] .*expected one number"):
        scatter_kernel[(1,)](x_ptr=numbers(16), index_ptr=put(index), y_ptr=empty(16), BLOCK=16)
    # The same number twice is no question, NaN included.
    scatter_kernel[(1,)](x_ptr=empty(16), index_ptr=put(index), y_ptr=numbers(16), BLOCK=16)


@jit
def split_kernel(x_ptr, y_ptr):
    p = tl.program_id(0)
    tl.store(y_ptr + p, 0.0)
    if tl.load(x_ptr + p) > 2:
        tl.store(y_ptr + p, 1.0)


def test_a_group_that_starts_again_is_not_another_program():
    y = empty(6)
    split_kernel[(6,)](x_ptr=numbers(6), y_ptr=y)
    assert y.numpy().tolist() == [0, 0, 0, 1, 1, 1]


def test_switched_off(monkeypatch):
    monkeypatch.setattr(Guard, "on", False)
    last = zeros(1)
    last_kernel[(4,)](x_ptr=numbers(64), last_ptr=last, BLOCK=16)
    assert last.item() in (15, 31, 47, 63)
