"""The backend of a device: what has no kernel falls back and is counted; a model learns there."""

import random

import numpy as np
import pytest

from engine import cpu, gpu
from engine.backend import fallbacks, number, on
from engine.ops import cross_entropy
from engine.optim import decay_groups
from engine.parallel import make_worker
from kernels import device
from kernels.device import DeviceArray, put
from model.data import batch
from model.gpt import GPT, GPTConfig
from tests.kernels.arrays import double, near
from tests.kernels.arrays import random as numbers

ROWS = batch(["annabel", "bo", "carla", "dmitri"])


@pytest.fixture(autouse=True)
def counted():
    fallbacks.clear()


def small_gpt(place):
    config = GPTConfig(T=8, C=8, H=2, L=1, dropout=0.2)
    return GPT(random.Random(1), config).to(np.float32).to(place)


def without_a_kernel(monkeypatch, function):
    """A function of engine/cpu.py that no device has a kernel for."""
    monkeypatch.setattr(cpu, "unheard_of", function, raising=False)


def test_arrays_of_the_device_have_this_backend():
    assert on(small_gpt(device.chosen).tok_emb.data) is gpu and on(np.ones(1)) is cpu


def test_what_has_no_kernel_falls_back(monkeypatch):
    def unheard_of(x, pair, number):
        return pair[0] + x, (pair[1] * number, number, x[0])

    without_a_kernel(monkeypatch, unheard_of)
    x, a, b = numbers(3, 2), numbers(3, 2), numbers(4)
    y, saved = gpu.unheard_of(x, (a, b), 2.0)
    near(y, double(a) + double(x))
    near(saved[0], double(b) * 2)
    assert saved[1] == 2.0
    near(saved[2], double(x)[0])
    # A single number comes back as an array too: it may stay on the device.
    without_a_kernel(monkeypatch, np.max)
    assert gpu.unheard_of(x).shape == () and isinstance(gpu.unheard_of(x), DeviceArray)
    assert fallbacks == {"unheard_of": 3}


def test_what_changes_an_array_in_place_does_so_on_the_device(monkeypatch):
    def unheard_of(x, y):
        x += y
        return x, y * 2, x

    without_a_kernel(monkeypatch, unheard_of)
    x = put(np.ones(5, np.float32))
    part = x[1:3]
    first, twice, again = gpu.unheard_of(part, x[3:])
    assert first is again is part
    assert x.numpy().tolist() == [1, 2, 2, 1, 1] and twice.numpy().tolist() == [2, 2]


def test_the_same_array_twice_stays_one(monkeypatch):
    without_a_kernel(monkeypatch, lambda x: (x[:1], (y := x * 2), y))
    view, one, other = gpu.unheard_of(numbers(2))
    assert one is other is not view


def test_what_nobody_knows():
    with pytest.raises(AttributeError, match="has no attribute 'unheard_of'"):
        gpu.unheard_of(1.0)


def test_a_copy_is_another_array():
    x = numbers(3)
    y = gpu.copy(x)
    want = double(x)
    x[...] = np.zeros(3)
    near(y, want)
    assert not fallbacks


def train(model):
    worker, found = make_worker(model, decay_groups(model, 0.1), lr=0.01), []
    for _ in range(3):
        found += [worker.backward(*ROWS, 2), worker.step(max_norm=1.0)]
    return [number(each) for each in found]


def test_a_model_learns_there_what_it_learns_here():
    one, other = small_gpt("cpu"), small_gpt(device.chosen)
    expected, found = train(one), train(other)
    near(np.array(found), expected)
    # The bias of the keys changes no share, its slope is rounding, and AdamW's steps along that
    # are as long as any: not the weights are alike, but what they predict.
    x, _ = ROWS
    near(other.eval()(x).data, one.eval()(x).data)
    assert not fallbacks


def test_a_slope_through_the_device_is_that_of_a_nudge():
    model, (x, y) = small_gpt(device.chosen).eval(), ROWS
    cross_entropy(model(x), y).backward()
    weight = model.pos_emb
    slopes, before = double(weight.grad), weight.data.numpy()
    losses = []
    for h in (2e-3, -2e-3):
        weight.data[...] = (before + h * slopes).astype(np.float32)
        losses.append(cross_entropy(model(x), y).item())
    assert (losses[0] - losses[1]) / 4e-3 == pytest.approx((slopes**2).sum(), rel=1e-2)
