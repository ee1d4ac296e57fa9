"""Exercise: an operation with a rule."""

from engine.autograd import Tensor


def test_absolute():
    """Add __abs__ to Tensor, so that abs(x) works; the slope is 1 above 0, -1 below, 0 at 0."""
    assert hasattr(Tensor, "__abs__"), "Tensor has no __abs__ yet"
    x, y = Tensor(-3.0), Tensor(2.0)
    loss = abs(x) * abs(y) + abs(Tensor(0.0))
    loss.backward()
    assert (loss.data, x.grad, y.grad) == (6.0, -2.0, 3.0)
    assert list(abs(Tensor(0.0)).rule(5.0)) == [0.0]
