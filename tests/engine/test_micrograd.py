"""Tests written for the class Value of micrograd, with the numbers that it gives."""

import pytest

from engine.autograd import Tensor


def test_a_long_expression():
    a, b = Tensor(-4.0), Tensor(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert g.data == pytest.approx(24.704081632653, abs=1e-12)
    assert a.grad == pytest.approx(138.833819241982, abs=1e-12)
    assert b.grad == pytest.approx(645.577259475218, abs=1e-12)


def test_a_neuron():
    x1, x2 = Tensor(2.0), Tensor(0.0)
    w1, w2, bias = Tensor(-3.0), Tensor(1.0), Tensor(6.8813735870195432)
    o = (x1 * w1 + x2 * w2 + bias).tanh()
    o.backward()
    assert o.data == pytest.approx(0.7071067811865476)
    assert [x1.grad, w1.grad, x2.grad, w2.grad] == pytest.approx([-1.5, 1.0, 0.5, 0.0])


def test_relu_and_a_square():
    x = Tensor(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert (y.data, x.grad) == (-20.0, 46.0)
