"""The model: a table of weights, a row for each letter, and what makes it probabilities."""

import math


def softmax(logits):
    """Any numbers become probabilities: p[j] = exp(logits[j]) / (sum of all exp(logits[k])).

    The highest logit is subtracted first. That changes no p, since it divides above and below
    by the same number, and it keeps exp from overflowing.
    """
    highest = max(logits)
    exps = [math.exp(logit - highest) for logit in logits]
    # fsum adds without rounding in between, alike in every version of Python.
    total = math.fsum(exps)
    return [e / total for e in exps]


def next_letter(weights, x, temperature=1.0):
    """The probability of each next letter after letter x; a low temperature sharpens them."""
    if not 0.001 <= temperature <= 1000:
        raise ValueError(f"temperature: got {temperature}; expected 0.001 to 1000")
    return softmax([weight.data / temperature for weight in weights[x]])


def cross_entropy(logits, y):
    """The loss -log(p[y]) for p = softmax(logits), which is log(sum of exp(logits)) - logits[y]."""
    total = 0.0
    for logit in logits:
        total += logit.exp()
    return total.log() - logits[y]
