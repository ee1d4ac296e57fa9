"""What changes the weights once their gradients are known."""

import numpy as np

from engine import cpu


class SGD:
    """Stochastic gradient descent: w = w - lr * grad, for the weights in `params`.

    lr is the learning rate. Stochastic, because each gradient comes from a few examples only.
    """

    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def zero_grad(self):
        """Gradients add up until they are let go of."""
        for param in self.params:
            param.grad = None

    def step(self):
        """A weight that no gradient has reached stays."""
        for param in self.params:
            if param.grad is not None:
                param.data -= self.lr * param.grad


class Adam:
    """Adam: each weight takes steps of its own size.

    m = beta1 * m + (1 - beta1) * grad        the average of recent gradients
    v = beta2 * v + (1 - beta2) * grad ** 2   the average of its square
    w = w - lr * m' / (sqrt(v') + eps),       m' = m / (1 - beta1 ** t), v' = v / (1 - beta2 ** t)
    t counts the steps; m' and v' make up for m and v having started at 0.
    Kingma and Ba, 2015.
    """

    def __init__(self, params, lr, betas=(0.9, 0.99), eps=1e-8):
        self.params, self.lr, self.betas, self.eps = list(params), lr, betas, eps
        self.m = [np.zeros_like(param.data) for param in self.params]
        self.v = [np.zeros_like(param.data) for param in self.params]
        self.t = 0

    def zero_grad(self):
        for param in self.params:
            param.grad = None

    def step(self):
        self.t += 1
        for param, m, v in zip(self.params, self.m, self.v):
            if param.grad is not None:
                cpu.adam_step(param.data, param.grad, m, v, self.t, self.lr, self.betas, self.eps)


def warm_up_cool_down(done, steps):
    """The share of the learning rate after `done` of `steps` steps: from 0 up, then down to 0.

    The first tenth of the steps goes up, since the first gradients are the wildest.
    """
    return min((done + 1) / (0.1 * steps), (1 - done / steps) / 0.9)
