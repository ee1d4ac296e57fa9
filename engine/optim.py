"""What changes the weights once their gradients are known."""


class SGD:
    """Stochastic gradient descent: w = w - lr * grad, for the weights in `params`.

    lr is the learning rate. Stochastic, because each gradient comes from a few examples only.
    """

    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def zero_grad(self):
        """Gradients add up until they are set back to 0."""
        for param in self.params:
            param.grad = 0.0

    def step(self):
        for param in self.params:
            param.data -= self.lr * param.grad


def warm_up_cool_down(done, steps):
    """The share of the learning rate after `done` of `steps` steps: from 0 up, then down to 0.

    The first tenth of the steps goes up, since the first gradients are the wildest.
    """
    return min((done + 1) / (0.1 * steps), (1 - done / steps) / 0.9)
