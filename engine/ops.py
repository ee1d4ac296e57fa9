"""Operations on many Tensors that make one node each, however many numbers go in."""

import math

from engine.autograd import Tensor


def times(slopes):
    """The rule of a node that knows its slopes: dy times each of them."""
    return lambda dy: [dy * slope for slope in slopes]


def dot(a, b):
    """y = a[0] * b[0] + a[1] * b[1] + …    slopes b towards a, a towards b"""
    if len(a) != len(b):
        raise ValueError(f"dot: got {len(a)} and {len(b)} numbers; expected as many on both sides")
    a_data, b_data = [value.data for value in a], [value.data for value in b]
    y = math.fsum([x * w for x, w in zip(a_data, b_data)])
    return Tensor(y, (*a, *b), times((*b_data, *a_data)))


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


def cross_entropy(logits, y):
    """The loss -log(p[y]) for p = softmax(logits)    slopes p[j], and p[y] - 1 for the right one"""
    data = [logit.data for logit in logits]
    p = softmax(data)
    # log(S) - logits[y], where S = sum of exp(logits): p of the highest logit is exp(highest) / S,
    # so log(S) = highest - log(max(p)), and nothing overflows.
    loss = max(data) - data[y] - math.log(max(p))
    slopes = list(p)
    slopes[y] -= 1.0
    return Tensor(loss, logits, times(slopes))


def softmax_values(logits, temperature):
    """p = softmax(logits / temperature), made of Tensors; a node for each p[j]

    slopes of p[j]: p[j] * (1 - p[j]) / temperature towards logits[j],
    and -p[j] * p[k] / temperature towards every other logits[k]
    """
    p = softmax([logit.data / temperature for logit in logits])
    nodes = []
    for j, p_j in enumerate(p):
        slopes = [-p_j * p_k / temperature for p_k in p]
        slopes[j] += p_j / temperature
        nodes.append(Tensor(p_j, logits, times(slopes)))
    return nodes


def layernorm(x, weight, bias, eps=1e-5):
    """y[c] = weight[c] * n[c] + bias[c],  n[c] = (x[c] - mean) / sqrt(variance + eps)

    slopes of y[c]: weight[c] * r * ((c == k) - 1 / C - n[c] * n[k] / C) towards x[k],
    with r = 1 / sqrt(variance + eps); n[c] towards weight[c]; 1 towards bias[c]
    Ba, Kiros and Hinton, 2016.
    """
    C = len(x)
    data = [value.data for value in x]
    mean = math.fsum(data) / C
    centred = [number - mean for number in data]
    r = 1 / math.sqrt(math.fsum(number * number for number in centred) / C + eps)
    n = [number * r for number in centred]
    ys = []
    for c, (w, b) in enumerate(zip(weight, bias)):
        share = -w.data * r / C
        slopes = [share * (1 + n[c] * n_k) for n_k in n]
        slopes[c] += w.data * r
        ys.append(Tensor(w.data * n[c] + b.data, (*x, w, b), times((*slopes, n[c], 1.0))))
    return ys
