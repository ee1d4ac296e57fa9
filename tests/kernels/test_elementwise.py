"""+ and scale against numpy in float64: blocks that are full, ragged, and several."""

import numpy as np
import pytest

from engine import cpu
from kernels import elementwise
from kernels.device import put
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
