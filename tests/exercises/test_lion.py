"""Exercise: is the size of a gradient needed at all?"""

import numpy as np
import pytest

from engine import optim
from engine.autograd import Tensor


def test_lion():
    """Write the class Lion in engine/optim.py, an optimizer used as AdamW is: Lion(groups, lr,
    betas=(0.9, 0.99)), zero_grad() and step(). It keeps one average for each weight, not two:

    c = beta1 * m + (1 - beta1) * grad
    w = w - lr * (sign(c) + weight_decay * w)     with the m of before
    m = beta2 * m + (1 - beta2) * grad
    """
    assert hasattr(optim, "Lion"), "engine/optim.py has no Lion yet"
    w, b = Tensor([[2.0]]), Tensor([2.0])
    groups = [{"params": [w], "weight_decay": 0.5}, {"params": [b], "weight_decay": 0.0}]
    lion = optim.Lion(groups, lr=0.1)
    w.grad, b.grad = np.array([[3.0]]), np.array([-5000.0])
    lion.step()
    assert (w.data.item(), b.data.item()) == pytest.approx((1.8, 2.1))
    # The average of late outweighs one small gradient of the other sign: 0.027 - 0.02 is above 0.
    w.grad, b.grad = np.array([[-0.2]]), np.array([0.0])
    lion.step()
    assert (w.data.item(), b.data.item()) == pytest.approx((1.61, 2.2))
    lion.zero_grad()
    assert w.grad is None and b.grad is None
    w.grad = np.array([[0.0]])
    lion.step()
    assert w.data.item() == pytest.approx(1.61 - 0.1 * (1 + 0.5 * 1.61))
    assert b.data.item() == pytest.approx(2.2), "a weight without gradient stays"
