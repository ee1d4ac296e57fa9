"""Attention by tiles against numpy in float64: large scores, NaN where nobody may look."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from engine import cpu, gpu
from engine.autograd import Tensor
from engine.backend import DEVICES, fallbacks
from engine.ops import attention as attention_op
from engine.ops import cross_entropy
from kernels import attention, device, launch, simulate
from kernels.device import DeviceArray, put, zeros
from tests.kernels.arrays import double, near, random

simulated = pytest.mark.skipif(device.chosen != "simulate", reason="only where it is simulated")
# B, T, H, D. T is a few tiles of 16 or 32 and a part of one, or a whole number of them.
SHAPES = [(2, 37, 3, 5), (1, 70, 2, 16), (1, 1, 1, 1), (1, 33, 1, 70), (1, 32, 1, 8)]


@pytest.fixture(params=[(16, 16), (32, 16), (16, 32)], ids=str)
def tiles(request, monkeypatch):
    """So few queries and keys in a tile that every loop turns twice at as few places as here."""
    small = dict(zip(("BLOCK_T", "BLOCK_S"), request.param))
    config = attention.config
    monkeypatch.setattr(attention, "config", lambda part, D: {**config(part, D), **small})


def backwards(monkeypatch):
    """From now on the simulator starts with the last program, three at a time."""
    monkeypatch.setattr(simulate, "AT_ONCE", 3)

    def ids(launch, programs):
        return np.unravel_index(math.prod(launch.grid) - programs, launch.grid)

    monkeypatch.setattr(simulate.Launch, "ids", ids)


def log_sums(qkv, H):
    """lse[t], the log of the sum over s <= t of exp(score), (B, H, T), as the formula has it."""
    q, k, _ = cpu.split_heads(qkv, H)
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
    return np.log((np.exp(scores) * np.tri(q.shape[2])).sum(axis=-1))


@pytest.mark.parametrize("B, T, H, D", SHAPES)
def test_forward_against_float64(B, T, H, D, tiles):
    qkv = random(B, T, 3 * H * D)
    y, (_, lse) = attention.attention_forward(qkv, H)
    near(y, cpu.attention_forward(double(qkv), H)[0])
    want = log_sums(double(qkv), H)
    near(lse, want, 1 + np.abs(want))


@simulated
@pytest.mark.parametrize("D", [64, 80])
@pytest.mark.parametrize("generation", [(7, 5), (8, 0), (9, 0)], ids=str)
def test_the_tiles_of_each_generation(generation, D, monkeypatch):
    monkeypatch.setattr(launch, "capability", lambda: generation)
    test_the_tiles_of_this_device(D)


@pytest.mark.parametrize("D", [64, 80])
def test_the_tiles_of_this_device(D):
    qkv, dy = random(1, 70, 3 * D), random(1, 70, D)
    y, saved = attention.attention_forward(qkv, 1)
    want, saved_by_cpu = cpu.attention_forward(double(qkv), 1)
    near(y, want)
    dqkv = attention.attention_backward(dy, qkv, saved, 1)
    near(dqkv, cpu.attention_backward(double(dy), double(qkv), saved_by_cpu, 1))


@pytest.mark.parametrize("ends", [(-15, 15), (15, -15)], ids=("rising", "falling"))
def test_a_maximum_that_comes_late_or_early(ends, tiles):
    """Scores from -900 to 900 or back: exp of the last or the first would overflow."""
    T, D = 50, 4
    qkv = random(1, T, 3 * D).numpy()
    qkv[0, :, :D] = 30.0
    qkv[0, :, D : 2 * D] = np.linspace(*ends, T)[:, None]
    y, (_, lse) = attention.attention_forward(put(qkv), 1)
    near(y, cpu.attention_forward(qkv.astype(np.float64), 1)[0])
    assert np.isclose(lse.numpy().max(), 900, atol=1)


def test_no_key_behind_the_tile_is_met(tiles):
    """A product with NaN is NaN, even where it is multiplied by a share of 0."""
    qkv = random(1, 50, 3 * 10)
    y, _ = attention.attention_forward(qkv, 2)
    later = qkv.numpy()
    later[:, 32:] = np.nan
    found, _ = attention.attention_forward(put(later), 2)
    assert np.array_equal(found.numpy()[:, :32], y.numpy()[:, :32])


def test_memory_grows_with_T_and_not_with_its_square(monkeypatch):
    """With twice as many places twice as many numbers are made, and twice as many kept."""
    made, empty = [], attention.empty

    def counted(shape):
        made.append(math.prod(shape))
        return empty(shape)

    monkeypatch.setattr(attention, "empty", counted)
    numbers = []
    for T in (32, 64):
        made.clear()
        qkv = random(1, T, 3 * 8)
        y, saved = attention.attention_forward(qkv, 2)
        attention.attention_backward(y, qkv, saved, 2)
        numbers.append(np.array([sum(made), sum(x.size for x in saved)]))
    assert np.array_equal(numbers[1], 2 * numbers[0])


@simulated
def test_the_order_of_programs_changes_nothing(monkeypatch):
    qkv, dy = random(2, 70, 3 * 10), random(2, 70, 10)
    y, saved = attention.attention_forward(qkv, 2)
    dqkv = attention.attention_backward(dy, qkv, saved, 2)
    backwards(monkeypatch)
    found, (_, lse) = attention.attention_forward(qkv, 2)
    assert np.array_equal(found.numpy(), y.numpy())
    assert np.array_equal(lse.numpy(), saved[1].numpy())
    found = attention.attention_backward(dy, qkv, saved, 2)
    assert np.array_equal(found.numpy(), dqkv.numpy())


# So many windows of so many places: qkv has more than 2 ** 31 numbers.
FAR_B, FAR_T = 12, 2**22


def far(x, starts=(0,)):
    """Zeros (FAR_B, FAR_T, n); in the last window the 16 places from each start on are those of x.

    Nobody writes to the others, so that the system gives no memory for them.
    """
    y = DeviceArray(np.zeros((FAR_B, FAR_T, x.shape[2]), np.float32))
    for start in starts:
        last_window(y)[start : start + 16][...] = x.numpy()[0]
    return y


def last_window(x):
    return x[FAR_B - 1 :].reshape(FAR_T, x.shape[2])


def run_the_last_program_only(monkeypatch):
    """From now on of all tiles, 16 places each, a window has only the one with the last number."""
    config, program_id, tiles = attention.config, simulate.program_id, FAR_T // 16
    small = {"BLOCK_T": 16, "BLOCK_S": 16}
    monkeypatch.setattr(attention, "config", lambda part, D: {**config(part, D), **small})
    monkeypatch.setattr(attention, "cdiv", lambda a, b: 1)
    monkeypatch.setattr(simulate.tl, "num_programs", lambda axis: tiles)

    def last(axis):
        return program_id(axis) if axis else tiles - 1

    monkeypatch.setattr(simulate.tl, "program_id", last)


@simulated
def test_places_beyond_32_bits(monkeypatch):
    """The last program has the first tile, whose places see no others."""
    few = random(1, 16, 3 * 16)
    run_the_last_program_only(monkeypatch)
    monkeypatch.setattr(attention, "empty", lambda shape: DeviceArray(np.zeros(shape, np.float32)))
    y, _ = attention.attention_forward(far(few), 1)
    want, _ = cpu.attention_forward(double(few), 1)
    near(last_window(y)[:16], want[0])


def test_with_a_cache_the_places_before_are_seen():
    qkv = random(2, 9, 3 * 8)
    whole, _ = gpu.attention_forward(qkv, 2)
    _, k, v = cpu.split_heads(qkv.numpy(), 2)
    fallbacks.clear()
    last, _ = gpu.attention_forward(put(qkv.numpy()[:, 6:]), 2, (k, v))
    near(last, whole.numpy()[:, 6:])
    assert fallbacks == {"attention_forward": 1}


@pytest.mark.parametrize("B, T, H, D", SHAPES)
def test_backward_against_float64(B, T, H, D, tiles):
    qkv, dy = random(B, T, 3 * H * D), random(B, T, H * D)
    _, saved = attention.attention_forward(qkv, H)
    got = attention.attention_backward(dy, qkv, saved, H)
    _, saved = cpu.attention_forward(double(qkv), H)
    want = cpu.attention_backward(double(dy), double(qkv), saved, H)
    # Where T is 1, dq and dk are 0.
    for part, expected in zip(cpu.split_heads(got.numpy(), H), cpu.split_heads(want, H)):
        near(part, expected, want)


def test_backward_meets_no_more_than_the_mask_lets_it(tiles):
    """NaN in later keys reaches no earlier dq; NaN in earlier dy reaches no later dk and dv."""
    C = 10
    qkv, dy = random(1, 50, 3 * C), random(1, 50, C)
    _, saved = attention.attention_forward(qkv, 2)
    dqkv = attention.attention_backward(dy, qkv, saved, 2).numpy()

    later = qkv.numpy()
    later[:, 32:] = np.nan
    found = attention.attention_backward(dy, put(later), saved, 2).numpy()
    assert np.array_equal(found[:, :32, :C], dqkv[:, :32, :C])

    earlier = dy.numpy()
    earlier[:, :32] = np.nan
    found = attention.attention_backward(put(earlier), qkv, saved, 2).numpy()
    assert np.array_equal(found[:, 32:, C:], dqkv[:, 32:, C:])


@simulated
def test_backward_beyond_32_bits(monkeypatch):
    """The last program of the second kernel has the last tile, whose keys no other tile sees."""
    D, ends = 16, (0, FAR_T - 16)
    qkv, dy = random(1, 16, 3 * D), random(1, 16, D)
    y, (_, lse) = attention.attention_forward(qkv, 1)
    delta = put((double(dy) * double(y)).sum(axis=-1, keepdims=True).astype(np.float32))
    run_the_last_program_only(monkeypatch)
    made = [far(put(np.zeros((1, 16, 3 * D), np.float32))), far(delta, ends)]
    monkeypatch.setattr(attention, "empty", lambda shape: made.pop(0))
    saved = far(y, ends), far(lse.reshape(1, 16, 1), ends)
    dqkv = last_window(attention.attention_backward(far(dy, ends), far(qkv, ends), saved, 1))

    _, saved = cpu.attention_forward(double(qkv), 1)
    want = cpu.attention_backward(double(dy), double(qkv), saved, 1)[0]
    near(dqkv[:16].numpy()[:, :D], want[:, :D])
    near(dqkv[FAR_T - 16 :].numpy()[:, D:], want[:, D:])


def test_backward_writes_over_nothing_that_it_is_given():
    qkv, dy = random(1, 37, 3 * 10), random(1, 37, 10)
    _, saved = attention.attention_forward(qkv, 2)
    given = (dy, qkv, *saved)
    before = [x.numpy() for x in given]
    attention.attention_backward(dy, qkv, saved, 2)
    assert all(np.array_equal(x.numpy(), y) for x, y in zip(given, before))


@pytest.mark.parametrize("B, T, H, D", [(2, 37, 2, 5), (1, 1, 1, 4)])
def test_slopes_are_those_of_a_nudge(B, T, H, D):
    """A step along the gradient changes the loss by the square of its length, for each unit."""
    qkv, labels = random(B, T, 3 * H * D), np.arange(B * T).reshape(B, T) % (H * D)

    def loss(x):
        # The loss writes over its logits, and attention's way back needs y.
        return cross_entropy(attention_op(x, H) + Tensor(zeros((B, T, H * D))), labels)

    x = Tensor(DEVICES[device.chosen](qkv.numpy()))
    loss(x).backward()
    slopes, h = double(x.grad), 0.05
    nudged = [put((double(qkv) + step * slopes).astype(np.float32)) for step in (h, -h)]
    losses = [loss(Tensor(x)).item() for x in nudged]
    assert (losses[0] - losses[1]) / (2 * h) == pytest.approx((slopes**2).sum(), rel=1e-2)


def test_costs_count_arrays_and_the_pairs_that_the_mask_leaves():
    B, T, H, D = 2, 7, 3, 5
    sizes = SimpleNamespace(B=B, T=T, H=H, C=H * D, N=B * T)
    qkv = random(B, T, 3 * H * D)
    y, saved = attention.attention_forward(qkv, H)
    dqkv = attention.attention_backward(y, qkv, saved, H)
    costs, pairs = attention.costs(sizes), B * H * np.tri(T).sum()
    moved, _, products = costs["attention_forward"]
    assert moved == qkv.nbytes + sum(x.nbytes for x in saved)
    # Two products: q . k and p * v, of D numbers for each pair.
    assert products == 2 * 2 * D * pairs
    moved, _, products = costs["attention_backward"]
    # y stands for dy as well.
    assert moved == y.nbytes + qkv.nbytes + sum(x.nbytes for x in saved) + dqkv.nbytes
    assert products == 7 * 2 * D * pairs
