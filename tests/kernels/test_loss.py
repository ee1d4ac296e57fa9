"""Cross-entropy in place: both directions against float64, ragged rows, several blocks of a row."""

import numpy as np
import pytest

from engine import cpu, gpu
from engine.autograd import Tensor, no_grad
from engine.backend import DEVICES
from engine.cost import count_bytes
from engine.ops import cross_entropy
from kernels import device, loss, simulate
from kernels.block import Block
from kernels.device import DeviceArray, put, zeros
from kernels.language import tl
from tests.kernels.arrays import double, near, random

SHAPES = [(1, 1), (5, 7), (37, 33), (3, 128), (6, 129)]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """A row takes up to five blocks, and the sum of the rows' losses three."""
    monkeypatch.setattr(loss, "BLOCK_V", 32)
    monkeypatch.setattr(loss, "BLOCK_N", 16)


def labels(N, V, ignore_index=-1):
    """Every third place, from the second on, has nothing to predict."""
    y = np.arange(N) * 5 % V
    y[1::3] = ignore_index
    return y


def twin(x, y, count, ignore_index=-1, dy=1.0):
    """The loss and dlogits in float64."""
    mean, saved = cpu.cross_entropy_forward(x, y, ignore_index, count)
    return mean, cpu.cross_entropy_backward(dy, x, y, saved, ignore_index)


@pytest.mark.parametrize("N, V", SHAPES)
def test_the_loss_and_dlogits(N, V):
    logits, y = random(N, V), labels(N, V)
    mean, dlogits = twin(double(logits), y, 3)
    got, saved = loss.cross_entropy_forward(logits, y, -1, 3)
    assert got.shape == ()
    near(got, mean, 1.0)
    near(loss.cross_entropy_backward(1.0, logits, y, saved, -1), dlogits, 1.0)


@pytest.mark.parametrize("dy", [1.0, 0.25])
def test_dlogits_are_where_the_logits_were(monkeypatch, dy):
    """No second array of their size is made."""
    logits, y, sizes = random(37, 33), labels(37, 33), []
    empty = loss.empty
    monkeypatch.setattr(loss, "empty", lambda shape: sizes.append(shape) or empty(shape))
    _, saved = loss.cross_entropy_forward(logits, y, -1, 20)
    assert loss.cross_entropy_backward(dy, logits, y, saved, -1) is logits
    assert sizes == [(37,), ()]


@pytest.mark.parametrize("count, dy", [(5, 1.0), (100, 0.25)])
def test_axes_in_front_another_count_another_dy_and_another_ignore_index(count, dy):
    logits, y = random(2, 3, 70), labels(6, 70, ignore_index=-100).reshape(2, 3)
    mean, dlogits = twin(double(logits), y, count, -100, dy)
    got, saved = loss.cross_entropy_forward(logits, y, -100, count)
    near(got, mean, 1.0)
    near(loss.cross_entropy_backward(np.float32(dy), logits, y, saved, -100), dlogits, 1.0)


def test_where_there_is_nothing_to_predict_the_slopes_are_0():
    logits, y = random(7, 40), labels(7, 40)
    loss.cross_entropy_forward(logits, y, -1, 5)
    slopes = logits.numpy()
    assert not slopes[y < 0].any() and slopes[y >= 0].all()


@pytest.mark.parametrize("shift", [-5000.0, 5000.0])
@pytest.mark.parametrize("place", [3, 40, 65])
def test_large_logits_do_not_overflow(shift, place):
    """The first, a middle or the last block has by far the highest: the others' sums vanish."""
    logits, y = random(4, 70), labels(4, 70)
    x = logits.numpy() + np.float32(shift)
    x[:, place] += 100
    far = put(x)
    mean, dlogits = twin(double(far), y, 3)
    got, _ = loss.cross_entropy_forward(far, y, -1, 3)
    # Of numbers near 5,000 the logarithm of a sum has float32's steps of 0.0005.
    near(got, mean, 5000.0)
    near(far, dlogits, 5000.0)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_logit_that_is_no_number_makes_a_loss_that_is_none(wrong):
    x, y = random(4, 70).numpy(), labels(4, 70)
    x[2, 69] = wrong
    got, _ = loss.cross_entropy_forward(put(x), y, -1, 3)
    assert np.isnan(got.item())


def test_the_slopes_are_those_of_a_nudge():
    x, y, h = random(5, 33).numpy(), labels(5, 33), np.float32(1e-2)
    along = random(5, 33).numpy()

    def there(x):
        return Tensor(DEVICES[device.chosen](x))

    def at(step):
        return cross_entropy(there(x + step * along), y).item()

    logits = there(x)
    cross_entropy(logits, y).backward()
    slope = (logits.grad.numpy() * along).sum()
    assert slope == pytest.approx((at(h) - at(-h)) / (2 * h), abs=1e-3)
    with no_grad():
        assert at(0 * h) == pytest.approx(cross_entropy(Tensor(x), y).item(), rel=1e-5)


@pytest.mark.skipif(device.chosen != "simulate", reason="touches 12 GB elsewhere")
def test_a_row_may_begin_beyond_2_31_logits(monkeypatch):
    """The last of all rows is taken alone. Memory that nobody touches takes no room."""
    N, V = 2**16 + 2, 2**15
    try:
        logits, y, losses = (
            DeviceArray(np.zeros((N, V), np.float32)),
            zeros((N,), np.int32),
            zeros((N,)),
        )
    except MemoryError:
        pytest.skip("no address space for 8.6 GB")
    monkeypatch.setattr(tl, "program_id", lambda axis: Block(np.array([N - 1], np.int32)))
    loss.cross_entropy_kernel[(1,)](
        logits_ptr=logits, y_ptr=y, loss_ptr=losses, V=V, ignore_index=-1, scale=1.0, BLOCK_V=V
    )
    assert losses.numpy()[-1] == pytest.approx(np.log(V))
    near(logits[N - 1 : N].reshape(V)[1:], np.full(V - 1, 1 / V))
    assert logits[N - 1 : N].numpy()[0, 0] == pytest.approx(1 / V - 1)


def test_a_logit_moves_once_there_and_once_back():
    """Read and written on the way there, 8 bytes; on the way back nothing."""
    x, y = Tensor(random(5, 33)), labels(5, 33)
    nodes, moved = count_bytes(lambda: cross_entropy(x, y), gpu)
    # The gradient of a Tensor that was made from nothing is a copy.
    assert nodes == 1 and moved == 2 * x.data.nbytes + y.nbytes + 4 + 2 * x.data.nbytes


def test_the_same_bits_however_many_programs_run_at_once(monkeypatch):
    x, y = random(9, 70).numpy(), labels(9, 70)
    found = []
    for at_once in (256, 4):
        monkeypatch.setattr(simulate, "AT_ONCE", at_once)
        logits = put(x)
        found.append([loss.cross_entropy_forward(logits, y, -1, 6)[0].numpy(), logits.numpy()])
    assert all(np.array_equal(one, other) for one, other in zip(*found))


def test_the_engine_asks_these_kernels():
    assert gpu.cross_entropy_forward is loss.cross_entropy_forward
    assert gpu.cross_entropy_backward is loss.cross_entropy_backward
