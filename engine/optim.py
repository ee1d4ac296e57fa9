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
