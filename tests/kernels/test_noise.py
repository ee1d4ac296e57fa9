"""Dropout on the device: the same bits as in numpy, and as Triton's own generator."""

import numpy as np
import pytest

from engine import cpu, gpu
from engine.autograd import Tensor
from engine.backend import DEVICES, fallbacks
from engine.noise import Noise, random_words
from engine.ops import dropout
from kernels import device, noise, simulate
from kernels.block import Block
from kernels.device import DeviceArray, empty, put
from kernels.guard import Guard
from kernels.language import jit, tl
from tests.kernels.arrays import double, near, random

# Less than a counter, a program, and more; ragged everywhere.
SHAPES = ((1,), (3,), (5,), (1023,), (1024,), (1025,), (2, 7, 129), (33, 129))
# p, seed and offset: of more than 31 and 32 bits; as the model and a Team's helper use them.
STREAMS = (
    (0.1, 2, 0),
    (0.5, 1, 1),
    (0.9, 2 + (3 << 32), (7 << 32) - 5),
    (0.3, 2**64 - 1, 2**31 - 100),
    (1 - 1e-9, 2**31, 2**40),
)


def there(x):
    """A Tensor on the device, as those of a model that has been moved there."""
    return Tensor(DEVICES[device.chosen](x))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("p, seed, offset", STREAMS)
def test_the_same_bits_as_in_numpy(shape, p, seed, offset):
    x, dy = random(*shape), random(*shape)
    before = x.numpy(), dy.numpy()
    y = noise.dropout_forward(x, p, seed, offset)
    dx = noise.dropout_backward(dy, p, seed, offset)
    assert np.array_equal(y.numpy(), cpu.dropout_forward(before[0], p, seed, offset))
    assert np.array_equal(dx.numpy(), cpu.dropout_backward(before[1], p, seed, offset))
    assert np.array_equal(x.numpy(), before[0]) and np.array_equal(dy.numpy(), before[1])


def test_what_is_left_out_is_0_whatever_it_was():
    x = put(np.full(3000, np.inf, np.float32))
    assert set(noise.dropout_forward(x, 0.5, 1, 0).numpy().tolist()) == {0.0, np.inf}


def test_slopes_are_those_of_a_nudge():
    x, dy, step, h = random(5, 301).numpy(), random(5, 301), random(5, 301), 2.0**-6
    (dx,) = dropout(there(x), 0.3, Noise(1)).rule(dy)

    def y(h):
        return double(dropout(there(x + np.float32(h) * step.numpy()), 0.3, Noise(1)).data)

    slope = (y(h) - y(-h)) / (2 * h)
    near((slope * double(dy)).sum(), (double(step) * double(dx)).sum(), double(dy))


def test_neither_way_leaves_the_device():
    fallbacks.clear()
    stream = Noise(1)
    dropout(there(np.ones(100, np.float32)), 0.5, stream).rule(random(100))
    assert not fallbacks and stream.offset == 25
    assert gpu.dropout_forward is noise.dropout_forward


@pytest.mark.skipif(device.chosen != "simulate", reason="maps memory that is never touched")
def test_places_beyond_31_bits(monkeypatch, tmp_path):
    """Only program 2 ** 21 runs: it owns the numbers from 2 ** 31 on.

    Of the files that these arrays are, only what is touched takes room. The guard would touch all.
    """
    monkeypatch.setattr(Guard, "on", False)
    far, end = 2**31, 2**31 + 600
    x, y = (DeviceArray(np.memmap(tmp_path / each, "float32", "w+", shape=end)) for each in "xy")
    x.memory[far:] = 1.0
    monkeypatch.setattr(simulate.tl, "program_id", lambda axis: Block(np.int32([2**21])))
    monkeypatch.setattr(noise, "empty", lambda shape: y)
    monkeypatch.setattr(noise, "cdiv", lambda a, b: 1)
    noise.dropout_forward(x, 0.5, 1, 0)
    expected = cpu.dropout_forward(np.ones(600, np.float32), 0.5, 1, far // 4)
    assert np.array_equal(y.memory[far:], expected)


@jit
def words_kernel(words_ptr, seed, offset, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK).to(tl.int64)
    c0, c1, c2, c3 = tl.randint4x(seed, offset + i)
    tl.store(words_ptr + 4 * i, c0)
    tl.store(words_ptr + 4 * i + 1, c1)
    tl.store(words_ptr + 4 * i + 2, c2)
    tl.store(words_ptr + 4 * i + 3, c3)


@pytest.mark.skipif(device.chosen == "simulate", reason="Triton's own generator")
@pytest.mark.parametrize("seed, offset", [(2, 0), (2 + (3 << 32), (7 << 32) - 5), (2**62, 2**40)])
def test_the_words_are_those_of_triton(seed, offset):
    words = empty((256,), np.int32)
    words_kernel[(1,)](words_ptr=words, seed=seed, offset=offset, BLOCK=64)
    assert np.array_equal(words.numpy().view(np.uint32), random_words(seed, offset, 256))
