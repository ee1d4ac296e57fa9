"""Slopes by trying: move one weight a little and see what the loss does."""


def nudge(loss, weights, *rest, h=1e-4):
    """The slope of loss(weights, *rest) with respect to each Tensor w, by central differences:

    slope = (loss with w + h  -  loss with w - h) / (2 * h)

    Its error shrinks with h * h, until the rounding of the two losses takes over.
    """
    slopes = []
    for weight in weights:
        start = weight.data
        weight.data = start + h
        above = loss(weights, *rest).data
        weight.data = start - h
        below = loss(weights, *rest).data
        weight.data = start
        slopes.append((above - below) / (2 * h))
    return slopes
