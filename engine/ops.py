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


def cross_entropy(logits, y, ignore_index=-1):
    """The mean of -log(p[y]) over all places, p = softmax(logits)     logits (…, V), y (…)

    dlogits = dy / number of places * (p - 1 at y, p elsewhere). Where y is ignore_index there is
    nothing to predict: such places do not count.
    """
    y = np.array(y)  # a copy, as in where: whoever asks may change theirs before backward
    if y.dtype.kind not in "iu" or logits.shape[:-1] != y.shape:
        got = f"logits {logits.shape} and y {y.shape} of {y.dtype}"
        raise ValueError(f"cross_entropy: got {got}; expected (…, V) and (…) whole numbers")
    counted = y != ignore_index
    if not counted.any():
        raise ValueError(f"cross_entropy: got no label but {ignore_index}; expected at least one")
    wrong = y[counted & ((y < 0) | (y >= logits.shape[-1]))]
    if wrong.size:
        last = logits.shape[-1] - 1
        raise ValueError(f"cross_entropy: got the label {wrong[0]}; expected 0 to {last}")
    right = counted, y[counted]
    shifted = logits.data - logits.data.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    slopes = np.exp(log_p) * counted[..., None]
    slopes[right] -= 1.0
    return Tensor(-log_p[right].mean(), (logits,), lambda dy: (dy / counted.sum() * slopes,))


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


def where(mask, a, b):
    """a where the mask is True, else b    da = dy where it is True, else 0; db the reverse"""
    a, b, mask = lift(a), lift(b), np.array(mask, dtype=bool)

    def rule(dy):
        return np.where(mask, dy, 0.0), np.where(mask, 0.0, dy)

    return Tensor(np.where(mask, a.data, b.data), (a, b), rule)
