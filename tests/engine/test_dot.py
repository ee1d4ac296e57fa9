import random

import pytest

from engine.autograd import Tensor, parents_first
from engine.ops import dot


def test_a_dot_gives_the_slopes_of_single_products():
    """The same number made of many nodes: equal to rounding."""

    def in_small_steps(weights):
        y = weights[0] * weights[3] + weights[1] * weights[4] + weights[2] * weights[5]
        return y.tanh()

    rng = random.Random(1)
    numbers = [rng.uniform(-1, 1) for _ in range(6)]
    many, few = [[Tensor(x) for x in numbers] for _ in range(2)]
    y, same = in_small_steps(many), dot(few[:3], few[3:]).tanh()
    assert same.data == pytest.approx(y.data, abs=1e-15)
    assert len(parents_first(same)) == 2 and len(parents_first(y)) == 6
    y.backward()
    same.backward()
    assert [w.grad for w in few] == pytest.approx([w.grad for w in many], abs=1e-15)
