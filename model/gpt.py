"""The model: a table of weights, one row for each letter, and what turns a row into odds."""

import math


def softmax(logits):
    """Any numbers become probabilities: p[j] = exp(logits[j]) / (sum of all exp(logits[k])).

    The highest logit is subtracted first. That changes no p, since it divides above and below
    by the same number, and it keeps exp from overflowing.
    """
    highest = max(logits)
    exps = [math.exp(logit - highest) for logit in logits]
    total = math.fsum(exps)
    return [e / total for e in exps]


def next_letter(weights, x, temperature=1.0):
    """The probability of each next letter after letter x; a low temperature sharpens them."""
    return softmax([weight.data / temperature for weight in weights[x]])


def cross_entropy(logits, y):
    """The loss -log(p[y]) for p = softmax(logits), written as log(sum of exp(logits)) - logits[y].

    Raises ValueError where a logit is so high that exp overflows.
    """
    total = 0.0
    for logit in logits:
        total += logit.exp()
    return total.log() - logits[y]
