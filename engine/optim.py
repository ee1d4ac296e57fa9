"""What changes the weights once their gradients are known."""

import math

import numpy as np

from engine.backend import on


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


class AdamW:
    """Adam with weight decay: each weight takes steps of its own size, and leans towards 0.

    groups: dicts of params and the weight_decay of these, as decay_groups makes them.

    w = w - lr * weight_decay * w             a share of itself, whatever the gradient
    m = beta1 * m + (1 - beta1) * grad        the average of recent gradients
    v = beta2 * v + (1 - beta2) * grad ** 2   the average of its square
    w = w - lr * m' / (sqrt(v') + eps),       m' = m / (1 - beta1 ** t), v' = v / (1 - beta2 ** t)
    t counts the steps; m' and v' make up for m and v having started at 0.
    Kingma and Ba, 2015; Loshchilov and Hutter, 2019.
    """

    def __init__(self, groups, lr, betas=(0.9, 0.99), eps=1e-8):
        self.lr, self.betas, self.eps = lr, betas, eps
        self.params = [param for group in groups for param in group["params"]]
        self.decays = [group["weight_decay"] for group in groups for _ in group["params"]]
        self.m = [np.zeros_like(param.data) for param in self.params]
        self.v = [np.zeros_like(param.data) for param in self.params]
        self.t = 0

    def zero_grad(self):
        for param in self.params:
            param.grad = None

    def step(self):
        self.t += 1
        settings = self.t, self.lr, self.betas, self.eps
        for param, m, v, decay in zip(self.params, self.m, self.v, self.decays):
            if param.grad is not None:
                on(param.data).adamw_step(param.data, param.grad, m, v, *settings, decay)


def decay_groups(model, weight_decay):
    """Matrices lean towards 0, so that no weight counts too much. Biases and the weights of
    LayerNorm, vectors that shift and scale, do not.
    """
    matrices = [param for param in model.parameters() if param.data.ndim > 1]
    vectors = [param for param in model.parameters() if param.data.ndim < 2]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]


def clip_grad_norm(params, max_norm):
    """Shortens all gradients by one factor, where the norm of them together is above `max_norm`.

    norm = sqrt(the sum of the squares of all their numbers), returned as it was.
    Pascanu, Mikolov and Bengio, 2013.
    """
    params = [param for param in params if param.grad is not None]
    norm = math.sqrt(sum(on(param.grad).square_sum(param.grad) for param in params))
    if norm > max_norm:
        for param in params:
            param.grad = on(param.grad).scale(param.grad, max_norm / norm)
    return norm


def warm_up_cool_down(done, steps):
    """The share of the learning rate after `done` of `steps` steps: from 0 up, then down to 0.

    The first tenth of the steps goes up, while Adam's averages are still young. Then half a wave
    of a cosine: slow at first, and slow at the end.
    """
    along = (done / steps - 0.1) / 0.9  # from 0 to 1 on the way down
    return min((done + 1) / (0.1 * steps), (1 + math.cos(math.pi * max(along, 0.0))) / 2)
