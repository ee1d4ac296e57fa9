"""+, scale and GELU against numpy in float64: blocks that are full, ragged, and several."""

import numpy as np
import pytest

from engine import cpu
from engine.autograd import Tensor
from engine.backend import DEVICES
from engine.ops import cross_entropy
from kernels import device, elementwise
from kernels.device import put
from kernels.language import launches
from tests.kernels.arrays import double, near, random

SIZES = (1, 7, 1023, 1024, 1025, 2503)
SHAPES = (
    ((1,), (1,)),
    ((3, 1), (1,)),
    ((5, 7), (7,)),
    ((2, 1031), (1031,)),
    ((3, 2, 701), (2, 701)),
)


@pytest.mark.parametrize("n", SIZES)
def test_add(n):
    a, b = random(n), random(n)
    near(elementwise.add(a, b), double(a) + double(b))


@pytest.mark.parametrize("a, b", SHAPES)
def test_add_where_the_first_axes_miss(a, b):
    a, b = random(*a), random(*b)
    near(elementwise.add(a, b), cpu.add(double(a), double(b)))


@pytest.mark.parametrize("b", ((2,), (2, 1), (5, 2, 3)))
def test_add_of_other_shapes(b):
    with pytest.raises(ValueError, match=r"add: got .* expected the last axes of the first"):
        elementwise.add(random(2, 3), random(*b))


@pytest.mark.parametrize("n", SIZES)
def test_add_to_is_in_place(n):
    total, x = random(n), random(n)
    want = double(total) + double(x)
    assert elementwise.add_to(total, x) is total
    near(total, want)


@pytest.mark.parametrize("n", SIZES)
def test_scale_is_in_place(n):
    x = random(n)
    want = double(x) * 0.37
    assert elementwise.scale(x, np.float64(0.37)) is x
    near(x, want)


def test_a_view_is_scaled_where_it_lies():
    x = put(np.ones(3000, np.float32))
    elementwise.scale(x[100:2900], 2.0)
    assert x.numpy().sum() == 200 + 2 * 2800
    assert x[99:101].numpy().tolist() == x[2899:2901].numpy().tolist()[::-1] == [1, 2]


def test_what_is_added_stays_as_it_was():
    a, b = random(1500), random(1500)
    before = a.numpy(), b.numpy()
    elementwise.add(a, b)
    assert (a.numpy() == before[0]).all() and (b.numpy() == before[1]).all()


def test_an_array_of_this_computer():
    with pytest.raises(ValueError, match="add: got an array of this computer; expected one of the"):
        elementwise.add(random(3), np.ones(3, np.float32))


@pytest.mark.parametrize("n", SIZES)
def test_gelu(n):
    x, dy = random(n), random(n)
    elementwise.scale(x, 3.0)
    y, saved = elementwise.gelu_forward(x)
    want, t = cpu.gelu_forward(double(x))
    near(y, want)
    near(elementwise.gelu_backward(dy, x, saved), cpu.gelu_backward(double(dy), double(x), t))
    assert saved == ()


@pytest.mark.filterwarnings("ignore:overflow")
def test_gelu_far_from_0():
    x = put(np.array([-1e4, -30, -0.0, 0, 30, 1e4], np.float32))
    y, saved = elementwise.gelu_forward(x)
    assert y.numpy().tolist() == [0, 0, 0, 0, 30, 1e4]
    dx = elementwise.gelu_backward(put(np.ones(6, np.float32)), x, saved)
    assert dx.numpy().tolist() == [0, 0, 0.5, 0.5, 1, 1]


def test_gelu_keeps_the_shape_and_what_it_is_given():
    x, dy = random(2, 3, 5), random(2, 3, 5)
    before = x.numpy(), dy.numpy()
    y, saved = elementwise.gelu_forward(x)
    assert y.shape == elementwise.gelu_backward(dy, x, saved).shape == (2, 3, 5)
    assert (x.numpy() == before[0]).all() and (dy.numpy() == before[1]).all()


def test_the_slope_of_gelu_is_that_of_a_nudge():
    x = Tensor(DEVICES[device.chosen](random(4, 7).numpy()))
    y = np.array([0, 3, 6, 1])
    launches.clear()
    cross_entropy(x.gelu(), y).backward()
    assert launches["gelu_forward_kernel"] == launches["gelu_backward_kernel"] == 1
    slopes, losses = double(x.grad), []
    for h in (0.1, -0.1):
        moved = put((double(x.data) + h * slopes).astype(np.float32))
        losses.append(cross_entropy(Tensor(moved).gelu(), y).item())
    assert (losses[0] - losses[1]) / 0.2 == pytest.approx((slopes**2).sum(), rel=1e-3)
