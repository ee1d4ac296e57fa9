"""Slopes by trying: move one weight a little and see what the loss does."""

import numpy as np


def nudge(loss, weights, *rest, h=1e-4):
    """The slope of loss(weights, *rest) towards each number w in `weights`, by central differences:

    slope = (loss with w + h  -  loss with w - h) / (2 * h)

    Its error shrinks with h * h, until the rounding of the two losses takes over.
    """
    slopes = []
    for weight in weights:
        slopes.append(np.zeros(weight.shape))
        for i in np.ndindex(weight.shape):
            start = weight.data[i]
            weight.data[i] = start + h
            above = loss(weights, *rest).data
            weight.data[i] = start - h
            below = loss(weights, *rest).data
            weight.data[i] = start
            slopes[-1][i] = (above - below) / (2 * h)
    return slopes


def gradcheck(f, *tensors, tolerance=1e-6):
    """True if backward finds the slopes of f(*tensors) that nudges find.

    f may return any shape: its numbers are added up, each times a factor of its own. Leaves its
    own gradients in grad.
    Raises ValueError where a slope is off by more than tolerance * (1 + its size).
    """

    def loss(tensors):
        y = f(*tensors)
        return (y * np.cos(np.arange(y.data.size)).reshape(y.shape)).sum()

    measured = nudge(loss, tensors, h=1e-5)
    for tensor in tensors:
        tensor.grad = None
    loss(tensors).backward()
    for number, (tensor, slopes) in enumerate(zip(tensors, measured)):
        for i in np.ndindex(tensor.shape):
            got, expected = 0.0 if tensor.grad is None else tensor.grad[i], slopes[i]
            if not abs(got - expected) <= tolerance * (1 + abs(expected)):
                place = f"at {i} of tensor {number}"
                raise ValueError(f"gradcheck: got {got:.9g} {place}; expected {expected:.9g}")
    return True
