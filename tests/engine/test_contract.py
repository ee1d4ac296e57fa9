import numpy as np
import pytest

from engine import cpu
from engine.autograd import Tensor, no_grad
from engine.ops import cross_entropy, linear


def test_a_count_divides_the_loss_of_a_part_by_all_of_a_batch():
    logits = Tensor(np.random.default_rng(1).normal(size=(4, 3)))
    y = np.array([0, 2, -1, 1])
    parts = [cross_entropy(Tensor(logits.data[i:j]), y[i:j], count=3) for i, j in ((0, 2), (2, 4))]
    whole = cross_entropy(logits, y)
    assert parts[0].item() + parts[1].item() == pytest.approx(whole.item(), rel=1e-14)


def test_linear_without_a_bias_has_two_gradients():
    rng = np.random.default_rng(1)
    x, weight = Tensor(rng.normal(size=(4, 3))), Tensor(rng.normal(size=(5, 3)))
    linear(x, weight).sum().backward()
    dy = np.ones((4, 5))
    assert np.allclose(x.grad, dy @ weight.data) and np.allclose(weight.grad, dy.T @ x.data)
    with no_grad():
        assert np.array_equal(linear(x, weight).data, linear(x, weight, Tensor(np.zeros(5))).data)


def test_fill_writes_in_place():
    x = np.ones((2, 3))
    assert cpu.fill(x, 0.5) is x and x.tolist() == [[0.5] * 3] * 2


def test_what_was_stretched_to_no_shape_of_these_is_refused():
    with pytest.raises(ValueError, match=r"backward: got a gradient of shape \(4,\); expected"):
        cpu.unbroadcast(np.ones((2, 4)), (3,))
