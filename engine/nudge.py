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
