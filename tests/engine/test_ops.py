import random

import pytest

from engine.autograd import Value
from engine.nudge import nudge
from engine.ops import dot
from model.gpt import Linear


def values(*numbers):
    return [Value(number) for number in numbers]


def assert_slopes_are_nudges(operation, weights):
    """operation: from a list of Values to one; nodes of many parents obey the same rule."""
    y = operation(weights)
    y.backward()
    assert [w.grad for w in weights] == pytest.approx(nudge(operation, weights), abs=1e-7)


def test_dot_by_hand():
    y = dot(values(1.0, 2.0), values(10.0, 100.0))
    assert y.data == 210.0
    assert y.slopes == (10.0, 100.0, 1.0, 2.0)


def test_dot_against_nudges():
    weights = values(0.3, -0.7, 1.1, 0.4, 2.0, -0.6)
    assert_slopes_are_nudges(lambda w: dot(w[:3], w[3:]), weights)


def test_dot_of_a_vector_with_itself():
    """A parent that stands there twice gets both shares: the slope of x * x is 2x."""
    x = values(3.0, -1.0)
    dot(x, x).backward()
    assert [value.grad for value in x] == [6.0, -2.0]


def test_dot_wants_as_many_numbers_on_both_sides():
    with pytest.raises(ValueError, match="dot: got 2 and 3 numbers; expected as many on both"):
        dot(values(1.0, 2.0), values(1.0, 2.0, 3.0))


def test_a_layer_makes_two_nodes_for_each_output():
    """A dot and a bias, however many numbers go in."""
    layer = Linear(random.Random(1), 24, 20)
    nodes = [node for y in layer(values(*range(24))) for node in (y, *y.parents) if node.parents]
    assert len(nodes) == 2 * 20
