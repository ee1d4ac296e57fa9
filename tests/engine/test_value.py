import math
import random
import sys

import pytest

from engine.autograd import Tensor
from engine.nudge import nudge
from engine.ops import cross_entropy

OPERATIONS = {
    "add": lambda v: v[0] + v[1],
    "subtract": lambda v: v[0] - v[1],
    "multiply": lambda v: v[0] * v[1],
    "divide": lambda v: v[0] / v[1],
    "cube": lambda v: v[0] ** 3,
    "reciprocal": lambda v: v[0] ** -1,
    "root": lambda v: v[0] ** 0.5,
    "exp": lambda v: v[0].exp(),
    "log": lambda v: v[0].log(),
    "negate": lambda v: -v[0],
    "tanh": lambda v: v[0].tanh(),
    "gelu": lambda v: v[0].gelu(),
    "relu above 0": lambda v: v[0].relu(),
    "relu below 0": lambda v: (-v[0]).relu(),
    "number + value": lambda v: 3 + v[0],
    "number - value": lambda v: 3 - v[0],
    "number * value": lambda v: 3 * v[0],
    "number / value": lambda v: 3 / v[0],
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_stored_slope_equals_a_nudge(name):
    operation = OPERATIONS[name]
    weights = [Tensor(1.7), Tensor(0.6)]
    y = operation(weights)
    for weight, measured in zip(weights, nudge(operation, weights)):
        stored = sum(slope for parent, slope in zip(y.parents, y.rule(1.0)) if parent is weight)
        assert stored == pytest.approx(measured, abs=1e-6)


def test_power_with_the_value_on_top():
    assert (2 ** Tensor(3.0)).data == pytest.approx(8)


def test_results_are_those_of_plain_numbers():
    a, b = Tensor(3.0), Tensor(-2.0)
    assert (a * b + 10 - b / 4).data == 3.0 * -2.0 + 10 - -2.0 / 4
    assert (a**2).data == 9.0
    assert a.exp().data == math.exp(3.0)
    assert a.log().data == math.log(3.0)


def test_a_value_remembers_its_parents_and_slopes():
    a, b = Tensor(3.0), Tensor(-2.0)
    c = a * b
    assert c.parents == (a, b)
    assert c.rule(1.0) == (-2.0, 3.0)
    assert a.parents == ()


def test_loss_is_that_of_plain_numbers():
    """The same operations, in another order than numpy adds them."""
    rng = random.Random(1)
    logits = [rng.uniform(-3, 3) for _ in range(27)]
    total = 0.0
    for logit in logits:
        total += math.exp(logit)
    loss = cross_entropy(Tensor([logits]), [5])
    assert loss.data == pytest.approx(math.log(total) - logits[5], abs=1e-14)


def test_the_largest_exp_is_just_below_the_largest_number():
    assert Tensor(709.78).exp().data > 0.99 * sys.float_info.max


@pytest.mark.parametrize(
    "mistake, message",
    [
        (lambda: Tensor(0.0).log(), "log: got 0.0; expected a number above 0"),
        (lambda: Tensor(-1.0).log(), "log: got -1.0; expected a number above 0"),
        (lambda: Tensor(709.8).exp(), "exp: got 709.8; expected at most 709.78, beyond it"),
        (lambda: Tensor(1.0) / 0, "division: got a divisor of 0; expected another number"),
        (lambda: Tensor(0.0) ** -1, "power: got 0.0 ** -1, which has no slope; expected another"),
        (lambda: Tensor(-2.0) ** 0.5, "power: got -2.0 ** 0.5; expected a base of at least 0"),
        (
            lambda: Tensor(2.0) ** Tensor(2.0),
            "power: got an exponent of type Tensor; expected a plain number",
        ),
        (lambda: Tensor(1.0) + "1", "Tensor: got '1'; expected a number, an array or a Tensor"),
    ],
)
def test_mistake_gets_one_clear_line(mistake, message):
    with pytest.raises(ValueError) as caught:
        mistake()
    assert str(caught.value).startswith(message)
