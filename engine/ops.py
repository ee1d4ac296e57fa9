"""Operations on Tensors that make one node each, however many numbers go in.

They are the parts of a network: most work on whole rows, with weights or labels. What joins
Tensors is here too, since it is the method of none.
"""

import numpy as np

from engine.autograd import Tensor, lift


def softmax(logits):
    """Each row becomes probabilities: p[j] = exp(logits[j]) / (sum of all exp(logits[k])).

    The highest logit is subtracted first. That changes no p, since it divides above and below
    by the same number, and it keeps exp from overflowing.
    """
    exps = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True)


def cross_entropy(logits, y):
    """The loss -log(p[y]) for p = softmax(logits)    dlogits = dy * (p - 1 at y, p elsewhere)"""
    data = logits.data
    p = softmax(data)
    # log(S) - logits[y], where S = sum of exp(logits): p of the highest logit is exp(highest) / S,
    # so log(S) = highest - log(max(p)), and nothing overflows.
    loss = data.max() - data[y] - np.log(p.max())
    slopes = p.copy()
    slopes[y] -= 1.0
    return Tensor(loss, (logits,), lambda dy: (dy * slopes,))


def softmax_values(logits, temperature):
    """p = softmax(logits / temperature)    dlogits = p * (dy - sum of p * dy) / temperature"""
    p = softmax(logits.data / temperature)

    def rule(dy):
        return (p * (dy - (p * dy).sum(axis=-1, keepdims=True)) / temperature,)

    return Tensor(p, (logits,), rule)


def row_mean(x):
    """The mean of each row, as a column: (…, C) -> (…, 1)"""
    return x.mean(axis=-1, keepdims=True)


def layernorm(x, weight, bias, eps=1e-5):
    """y = weight * n + bias,  n = (x - mean) / sqrt(variance + eps), row by row     x, y (…, C)

    dx = (dn - mean of dn - n * mean of dn * n) / sqrt(variance + eps),  dn = dy * weight
    dweight = dy * n    dbias = dy
    Ba, Kiros and Hinton, 2016.
    """
    centred = x.data - row_mean(x.data)
    r = 1 / np.sqrt(row_mean(centred * centred) + eps)
    n = centred * r

    def rule(dy):
        dn = dy * weight.data
        return r * (dn - row_mean(dn) - n * row_mean(dn * n)), dy * n, dy

    return Tensor(weight.data * n + bias.data, (x, weight, bias), rule)


def cat(tensors, dim=0):
    """Tensors end to end along the axis dim: (T1, C), (T2, C), … -> (T1 + T2 + …, C)

    dx = the part of dy that was x
    """
    tensors = [lift(tensor) for tensor in tensors]
    ends = np.cumsum([tensor.shape[dim] for tensor in tensors])
    data = np.concatenate([tensor.data for tensor in tensors], axis=dim)
    return Tensor(data, tuple(tensors), lambda dy: np.split(dy, ends[:-1], axis=dim))
