"""Slopes by trying: move one weight a little and see what the loss does."""


def nudge(loss, weights, *rest, h=1e-4):
    """The slope of loss(weights, *rest) with respect to each weight w, by central differences:

    slope = (loss with w + h  -  loss with w - h) / (2 * h)

    Its error shrinks with h * h, until the rounding of the two losses takes over.
    """
    slopes = []
    for j, weight in enumerate(weights):
        weights[j] = weight + h
        above = loss(weights, *rest)
        weights[j] = weight - h
        below = loss(weights, *rest)
        weights[j] = weight
        slopes.append((above - below) / (2 * h))
    return slopes
