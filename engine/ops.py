"""Operations on Tensors that make one node each, however many numbers go in.

They are the parts of a network: most work on whole rows, with weights or labels. What joins
Tensors is here too, since it is the method of none. The arithmetic of the parts is in cpu.py; here
are the checks and the graph.
"""

import numpy as np

from engine import cpu
from engine.autograd import Tensor, lift_all
from engine.backend import on


def embedding(weight, index):
    """y = weight[index]: a row for each number        weight (V, C), index (…), y (…, C)"""
    index = np.array(index)  # a copy: whoever asks may change theirs before backward
    if index.dtype.kind not in "iu" or weight.ndim != 2:
        got = f"weight {weight.shape} and index of {index.dtype}"
        raise ValueError(f"embedding: got {got}; expected (V, C) and whole numbers")
    wrong = index[(index < 0) | (index >= len(weight))]
    if wrong.size:
        raise ValueError(f"embedding: got {wrong[0]}; expected 0 to {len(weight) - 1}")

    def rule(dy):
        return (on(dy).embedding_backward(dy, index, weight.shape),)

    return Tensor(on(weight.data).embedding_forward(weight.data, index), (weight,), rule)


def linear(x, weight, bias=None):
    """y = x @ weight.T + bias        x (…, C), weight (K, C), bias (K) or None, y (…, K)"""
    biases = () if bias is None else (bias,)
    fits = weight.ndim == 2 and weight.shape[1:] == x.shape[-1:]
    if not fits or any(bias.shape != weight.shape[:1] for bias in biases):
        got = f"x {x.shape}, weight {weight.shape} and bias {None if bias is None else bias.shape}"
        raise ValueError(f"linear: got {got}; expected (…, C), (K, C) and (K) or None")
    y = on(x.data).linear_forward(x.data, weight.data, *(bias.data for bias in biases))

    def rule(dy):
        return on(dy).linear_backward(dy, x.data, weight.data, bias is not None)

    return Tensor(y, (x, weight, *biases), rule)


def attention(qkv, H, cache=None):
    """What each token receives in H heads        qkv (B, T, 3 * C), y (B, T, C)

    cache: the keys and values of the places before, where these look too; it keeps those of qkv as
    well. Raises ValueError outside no_grad: no gradient goes into a cache.
    """
    if qkv.ndim != 3 or qkv.shape[2] % (3 * H):
        got = f"{qkv.shape} and {H} heads"
        raise ValueError(f"attention: got {got}; expected (B, T, 3 * C), C a multiple of the heads")
    if cache is not None and Tensor.recording:
        raise ValueError("attention: got a cache to be recorded; expected one inside no_grad only")
    kv = cache and cache.add(*cpu.split_heads(qkv.numpy(), H)[1:])
    y, saved = on(qkv.data).attention_forward(qkv.data, H, kv)
    return Tensor(y, (qkv,), lambda dy: (on(dy).attention_backward(dy, qkv.data, saved, H),))


def cross_entropy(logits, y, ignore_index=-1, count=None):
    """The mean of -log(p[y]) over all places, p = softmax(logits)     logits (…, V), y (…)

    Where y is ignore_index there is nothing to predict: such places do not count.
    count: what the sum is divided by, where these are only some places of a batch.
    May overwrite logits: a device leaves their gradient there. Who needs them later makes a copy.
    """
    y = np.array(y)  # a copy, as above
    if y.dtype.kind not in "iu" or logits.shape[:-1] != y.shape:
        got = f"logits {logits.shape} and y {y.shape} of {y.dtype}"
        raise ValueError(f"cross_entropy: got {got}; expected (…, V) and (…) whole numbers")
    counted = y[y != ignore_index]
    if not counted.size:
        raise ValueError(f"cross_entropy: got no label but {ignore_index}; expected at least one")
    wrong = counted[(counted < 0) | (counted >= logits.shape[-1])]
    if wrong.size:
        last = logits.shape[-1] - 1
        raise ValueError(f"cross_entropy: got the label {wrong[0]}; expected 0 to {last}")
    backend, count = on(logits.data), counted.size if count is None else count
    loss, saved = backend.cross_entropy_forward(logits.data, y, ignore_index, count)

    def rule(dy):
        return (backend.cross_entropy_backward(dy, logits.data, y, saved, ignore_index),)

    return Tensor(loss, (logits,), rule)


def softmax(logits, temperature=1.0):
    """p[j] = exp(logits[j] / temperature) / (sum of them over the row)        logits, p (…, V)"""
    p = on(logits.data).softmax_forward(logits.data, temperature)
    return Tensor(p, (logits,), lambda dy: (on(dy).softmax_backward(dy, p, temperature),))


def layernorm(x, weight, bias, eps=1e-5):
    """y = weight * n + bias,  n = (x - mean) / sqrt(variance + eps), row by row     x, y (…, C)"""
    if not weight.shape == bias.shape == x.shape[-1:]:
        got = f"x {x.shape}, weight {weight.shape} and bias {bias.shape}"
        raise ValueError(f"layernorm: got {got}; expected (…, C), (C) and (C)")
    y, saved = on(x.data).layernorm_forward(x.data, weight.data, bias.data, eps)

    def rule(dy):
        return on(dy).layernorm_backward(dy, x.data, weight.data, saved)

    return Tensor(y, (x, weight, bias), rule)


def dropout(x, p, noise):
    """Each number of x becomes 0 with probability p; the others are multiplied by 1 / (1 - p).

    noise: a Noise. What is kept for the way back is where its words stand, not the words.
    """
    seed, offset = noise.take(x.size)
    y = on(x.data).dropout_forward(x.data, p, seed, offset)
    return Tensor(y, (x,), lambda dy: (on(dy).dropout_backward(dy, p, seed, offset),))


def cat(tensors, dim=0):
    """Tensors end to end along the axis dim: (T1, C), (T2, C), … -> (T1 + T2 + …, C)

    dx = the part of dy that was x
    """
    tensors = lift_all(*tensors)
    ends = np.cumsum([tensor.shape[dim] for tensor in tensors])
    data = np.concatenate([tensor.data for tensor in tensors], axis=dim)
    return Tensor(data, tuple(tensors), lambda dy: np.split(dy, ends[:-1], axis=dim))


def where(mask, a, b):
    """a where the mask is True, else b    da = dy where it is True, else 0; db the reverse"""
    a, b = lift_all(a, b)
    mask = np.array(mask, dtype=bool)

    def rule(dy):
        return np.where(mask, dy, 0.0), np.where(mask, 0.0, dy)

    return Tensor(np.where(mask, a.data, b.data), (a, b), rule)
