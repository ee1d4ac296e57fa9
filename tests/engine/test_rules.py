import gc

import numpy as np
import pytest

from engine.autograd import Tensor
from engine.ops import cross_entropy
from tests.compare import assert_close


def nodes():
    """A node of each kind that has two parents or more."""
    a, b = Tensor(1.7), Tensor(0.6)
    yield from (a + b, a - b, a * b, a / b)
    x, y = Tensor([1.7, 0.6]), Tensor([-0.4, 0.3])
    yield from ((x[None] @ y[:, None])[0, 0], cross_entropy(x[None], [1]))


@pytest.mark.parametrize("dy", [np.array(0.0), np.array(1.0), np.array(-2.5)])
def test_a_rule_is_dy_times_the_slopes(dy):
    """Its answer to 1 is the slopes; to any other dy it is that many times as much."""
    for y in nodes():
        slopes = y.rule(np.array(1.0))
        assert len(slopes) == len(y.parents)
        assert_close(list(y.rule(dy)), [dy * slope for slope in slopes])


def test_a_rule_only_returns():
    """It changes no grad, so it may be asked as often as one likes; backward adds, once."""
    for y in nodes():
        assert_close(list(y.rule(np.array(3.0))), list(y.rule(np.array(3.0))))
        assert all(parent.grad is None for parent in y.parents)


def test_a_rule_reads_its_parents_when_it_is_asked():
    """A slope is written down when the node is made. A rule looks at the parents later: change one
    in between, and the gradient is that of the changed number.
    """
    a, b = Tensor(3.0), Tensor(-2.0)
    c = a * b
    b.data[...] = 10.0
    c.backward()
    assert (c.data, a.grad) == (-6.0, 10.0)


def test_a_weight_made_from_nothing_hands_nothing_on():
    w = Tensor(2.0)
    assert w.rule(1.0) == ()
    for _ in range(2):
        with pytest.raises(ValueError, match="backward: got a Tensor made from nothing; expected"):
            w.backward()
    assert w.grad is None
    (w * 3.0).backward()
    assert w.grad == 3.0


def test_backward_lets_go_of_the_graph():
    """As long as a node holds its rule, the rule holds the numbers that it was made from."""
    w = Tensor(2.0)
    square = w * w
    loss = square + 1.0
    loss.backward()
    assert (square.parents, square.rule, loss.parents, loss.rule) == ((), None, (), None)
    assert (square.data, square.grad, w.grad) == (4.0, 1.0, 4.0)


def test_nodes_are_let_go_while_the_walk_goes_on():
    """When y's rule is asked, the 40 Tensors made after y have been walked: nearly all are gone."""

    def alive():
        return sum(type(thing) is Tensor for thing in gc.get_objects())

    def rule(dy):
        counts.append(alive())
        return (dy,)

    gc.collect()
    counts = []
    x = Tensor(2.0)
    y = Tensor(3.0, (x,), rule)
    before, loss = alive(), y
    for _ in range(20):
        loss = loss * 1.0
    loss.backward()
    assert counts[0] <= before + 2  # the loss, and what was looked at last
