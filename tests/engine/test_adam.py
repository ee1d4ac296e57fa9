import math

import pytest

from engine.autograd import Tensor
from engine.optim import SGD, AdamW


def Adam(params, **settings):
    """AdamW without weight decay."""
    return AdamW([{"params": params, "weight_decay": 0.0}], **settings)


@pytest.mark.parametrize("gradient", [1e-4, 0.3, 1.0, 5000.0, -0.02, -70.0])
def test_the_first_step_has_the_size_of_the_learning_rate_whatever_the_gradient(gradient):
    w = Tensor(1.0)
    optimizer = Adam([w], lr=0.01)
    w.grad = gradient
    optimizer.step()
    assert w.data == pytest.approx(1.0 - math.copysign(0.01, gradient), abs=2e-6)


def test_two_steps_by_hand():
    """betas 1/2 and 1/2, gradients 2 and 0: m = 1, 0.5; v = 2, 1; m' = 2, 2/3; v' = 4, 4/3."""
    w = Tensor(0.0)
    optimizer = Adam([w], lr=1.0, betas=(0.5, 0.5), eps=0.0)
    w.grad = 2.0
    optimizer.step()
    assert w.data == pytest.approx(-1.0)
    optimizer.zero_grad()
    assert w.grad is None
    w.grad = 0.0
    optimizer.step()
    assert w.data == pytest.approx(-1.0 - (2 / 3) / math.sqrt(4 / 3))


def test_a_weight_without_gradients_stays():
    w = Tensor(1.0)
    optimizer = Adam([w], lr=0.1)
    optimizer.step()
    assert w.data == 1.0


@pytest.mark.parametrize("optimizer_class", [SGD, Adam])
def test_a_weight_that_no_gradient_has_reached_stays(optimizer_class):
    """Not even the average of its earlier gradients moves it, as in PyTorch."""
    used, other = Tensor(1.0), Tensor(1.0)
    optimizer = optimizer_class([other, used], lr=0.1)
    (used * other).backward()
    optimizer.step()
    optimizer.zero_grad()
    before = used.data.copy(), other.data.copy()
    (used * 2.0).backward()
    optimizer.step()
    assert used.data != before[0] and other.data == before[1]


def test_a_narrow_valley():
    """x ** 2 + 10,000 * y ** 2: what is slow enough for y is far too slow for x, unless each
    weight takes steps of its own size.
    """

    def distance(optimizer_class, lr):
        x, y = Tensor(1.0), Tensor(1.0)
        optimizer = optimizer_class([x, y], lr=lr)
        for _ in range(100):
            optimizer.zero_grad()
            (x * x + 10_000 * (y * y)).backward()
            optimizer.step()
        return abs(x.data) + abs(y.data)

    assert distance(SGD, 0.00005) > 0.9
    assert distance(Adam, 0.05) < 0.2
