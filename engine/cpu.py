"""The arithmetic of the operations on numpy arrays, without any graph.

Here is what the GPT computes over large arrays, learning or writing, and a GPU will have to do
anew. Elsewhere stays what numpy does to each number in one call, such as * and where, and what the
GPT never calls, such as tanh and max.

name_forward returns the result y; or (y, saved), where saved is for name_backward alone to read.
name_backward takes dy, the gradient of y, then what it needs of the inputs, y and saved; it returns
the gradients of the inputs, in their order.
Neither writes over what it is given, least of all dy: a + b hands the same array to both its sides.
What changes an array in place says so; so does cross_entropy_forward, which
on a device does.
"""

import math

import numpy as np

from engine import noise

SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
# How many places attention takes at a time.
BLOCK = 64


def gelu_forward(x):
    """y = x * (1 + t) / 2,  t = tanh(u),  u = k * (x + 0.044715 * x ** 3),  k = sqrt(2 / pi)

    Returns y and saved: t, of x's shape. Hendrycks and Gimpel, 2016, in the form that GPT-2 uses.
    """
    # u = x * (k + k * 0.044715 * x ** 2)
    u = x * x
    u *= 0.044715 * SQRT_2_OVER_PI
    u += SQRT_2_OVER_PI
    u *= x
    t = np.tanh(u)
    y = t + 1
    y *= x
    y *= 0.5
    return y, t


def gelu_backward(dy, x, t):
    """dx = dy * ((1 + t) / 2 + x * (1 - t ** 2) / 2 * du/dx)"""
    # dx = (du/dx * (1 - t ** 2) * x + t + 1) * dy / 2, a factor or a term a line
    dx = x * x
    dx *= 3 * 0.044715 * SQRT_2_OVER_PI
    dx += SQRT_2_OVER_PI  # du/dx
    dx *= 1 - t * t
    dx *= x
    dx += t
    dx += 1
    dx *= dy
    dx *= 0.5
    return dx


def embedding_forward(weight, index):
    """y = weight[index]        weight (V, C), index (…) of whole numbers from 0, y (…, C)"""
    return weight[index]


def embedding_backward(dy, index, shape):
    """dweight[i] = the sum of dy over all places where index is i        dweight of this shape

    Sorted by the row taken, places of the same row stand together and are added up in one sweep.
    """
    order = np.argsort(index, axis=None, kind="stable")
    taken, starts = np.unique(index.reshape(-1)[order], return_index=True)
    dweight = np.zeros(shape, dy.dtype)
    dweight[taken] = np.add.reduceat(rows(dy)[order], starts, axis=0)
    return dweight


def copy(x):
    """y = x, in an array of its own"""
    return np.array(x)


def add(a, b):
    """y = a + b        b may miss the first axes of a. On the way back both get dy."""
    return a + b


def zeros(size, dtype):
    """So many zeros"""
    return np.zeros(size, dtype)


def add_to(total, x):
    """total += x, in place. Returns total."""
    total += x
    return total


def unbroadcast(gradient, shape):
    """The gradient of an array of this shape, which numpy has stretched to that of `gradient`.

    Each of its numbers was used in many places and gets the sum of the gradients there.
    Raises ValueError where no stretching leads from `shape` to the gradient's.
    """
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    ones = tuple(axis for axis, size in enumerate(shape[: gradient.ndim]) if size == 1)
    gradient = gradient.sum(axis=ones, keepdims=True)
    if gradient.shape != shape:
        raise ValueError(f"backward: got a gradient of shape {gradient.shape}; expected {shape}")
    return gradient


def matmul_forward(a, b):
    """y = a @ b        a (…, N, C), b (…, C, K), y (…, N, K)"""
    if b.ndim > 2:
        return a @ b
    return (rows(a) @ b).reshape(*a.shape[:-1], b.shape[-1])


def matmul_backward(dy, a, b):
    """da = dy @ b.T    db = a.T @ dy, added up over all (N, C) where b is one table for them"""
    if b.ndim > 2:
        return dy @ np.swapaxes(b, -1, -2), np.swapaxes(a, -1, -2) @ dy
    return (rows(dy) @ b.T).reshape(a.shape), rows(a).T @ rows(dy)


def linear_forward(x, weight, bias=None):
    """y = x @ weight.T + bias        x (…, C), weight (K, C), bias (K) or None, y (…, K)"""
    y = rows(x) @ weight.T
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], len(weight))


def linear_backward(dy, x, weight, biased=True):
    """dx = dy @ weight    dweight = dy.T @ x    dbias = the sum of dy over all rows, if biased"""
    dx, dweight = (rows(dy) @ weight).reshape(x.shape), rows(dy).T @ rows(x)
    return (dx, dweight, sum_over_rows(dy)) if biased else (dx, dweight)


def attention_forward(qkv, H, kv=None):
    """y[t] = sum over s <= t of p[t, s] * v[s],  p[t] = softmax(q[t] . k[s] / sqrt(D)), each head

    qkv (B, T, 3 * C), y (B, T, C). Vaswani and others, 2017.
    Returns y and saved: y and p, (B, H, T, T), in which what lies behind a block is not written.
    kv: k and v of S places, (B, H, S, D) each, of which those of qkv are the last T. Then s runs
    over all S, and p is (B, H, T, S).
    """
    B, T, C = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3
    q, k, v = split_heads(qkv, H)
    k, v = kv or (k, v)
    before = k.shape[2] - T
    y, p = np.empty((B, T, C), qkv.dtype), np.empty((B, H, T, before + T), qkv.dtype)
    y_heads = y.reshape(B, T, H, C // H).swapaxes(1, 2)
    # -inf is added where s > t: that takes less time than to write it there.
    mask = np.where(np.tri(min(BLOCK, T), dtype=bool), 0, -np.inf).astype(qkv.dtype)
    for i, j in blocks(T):
        # Place i + n looks at the first before + i + n + 1: only the last square hides something.
        seen = before + j
        scores = q[:, :, i:j] @ k[:, :, :seen].swapaxes(-1, -2)  # (B, H, j - i, seen)
        scores *= 1 / math.sqrt(C // H)
        scores[..., before + i :] += mask[: j - i, : j - i]
        scores -= row_max(scores)
        np.exp(scores, out=scores)
        shares = np.divide(scores, row_sum(scores), out=p[:, :, i:j, :seen])
        np.matmul(shares, v[:, :, :seen], out=y_heads[:, :, i:j])
    return y, (y, p)


def attention_backward(dy, qkv, saved, H):
    """dv = p.T @ dy    dp = dy @ v.T    ds = p * (dp - sum of p * dp) / sqrt(D)

    dq = ds @ k    dk = ds.T @ q, for each head; 0 wherever p is. The sum runs over T places, but
    equals dy . y, since dp = dy . v and y = sum of p * v: that is over D numbers only.
    """
    y, p = saved
    B, T, C = dy.shape
    q, k, v = split_heads(qkv, H)
    dy, y = (x.reshape(B, T, H, C // H).swapaxes(1, 2) for x in (dy, y))  # -> (B, H, T, D)
    dqkv = np.empty_like(qkv)
    dq, dk, dv = split_heads(dqkv, H)
    shift = row_sum(dy * y)
    for i, j in reversed(blocks(T)):
        # At places i to j - 1 look only those from i on. The first j - i of these have no dq yet.
        shares = p[:, :, i:, i:j]
        ds = dy[:, :, i:] @ v[:, :, i:j].swapaxes(-1, -2)  # (B, H, T - i, j - i)
        ds -= shift[:, :, i:]
        ds *= shares
        ds *= 1 / math.sqrt(C // H)
        np.matmul(ds[:, :, : j - i], k[:, :, i:j], out=dq[:, :, i:j])
        dq[:, :, j:] += ds[:, :, j - i :] @ k[:, :, i:j]
        np.matmul(ds.swapaxes(-1, -2), q[:, :, i:], out=dk[:, :, i:j])
        np.matmul(shares.swapaxes(-1, -2), dy[:, :, i:], out=dv[:, :, i:j])
    return dqkv


def blocks(T):
    """(i, j) for each block of places, i to j - 1: (0, 64), (64, 128) and so on, up to T"""
    return [(i, min(i + BLOCK, T)) for i in range(0, T, BLOCK)]


def attention_shares(qkv, H):
    """p of attention_forward, (B, H, T, T), 0 where s > t, for whoever wants to look at it"""
    q, k, _ = split_heads(qkv, H)
    T, D = q.shape[2:]
    scores = np.where(np.tri(T, dtype=bool), q @ k.swapaxes(-1, -2), -np.inf)
    return softmax_forward(scores, math.sqrt(D))


def split_heads(qkv, H):
    """Views of q, k and v: (B, T, 3 * C) -> three of (B, H, T, D)"""
    B, T, C3 = qkv.shape
    return qkv.reshape(B, T, 3, H, C3 // (3 * H)).transpose(2, 0, 3, 1, 4)


def softmax_forward(logits, temperature=1.0):
    """p[j] = exp(logits[j] / temperature) / (sum of them over the row)        logits, p (…, V)

    The highest logit is subtracted first. That changes no p, since it divides above and below
    by the same number, and it keeps exp from overflowing. The way back needs p and nothing else.
    """
    logits = logits / temperature
    exps = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True)


def softmax_backward(dy, p, temperature):
    """dlogits = p * (dy - sum of p * dy over the row) / temperature"""
    return p * (dy - (p * dy).sum(axis=-1, keepdims=True)) / temperature


def cross_entropy_forward(logits, y, ignore_index, count):
    """The sum of -log(p[y]) over all places / count, p = softmax(logits)    logits, p (…, V), y (…)

    Places where y is ignore_index do not count.
    Returns the loss and saved: highest, of each row, and log(sum of exp(logits - highest)).
    Nobody may need the logits after this: on a device saved is dlogits, in their place.
    """
    counted = y != ignore_index
    highest = row_max(logits)
    shifted = logits - highest
    log_sum = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    log_p = shifted[counted, y[counted]] - log_sum[counted, 0]
    # The mean of these places, times their share of all that are counted.
    share = np.array(counted.sum() / count, logits.dtype)
    return -log_p.mean() * share, (highest, log_sum, share)


def cross_entropy_backward(dy, logits, y, saved, ignore_index):
    """dlogits = dy / count * (p - 1 at y, p elsewhere), 0 at places that do not count

    p = exp(logits - highest - log of the sum), made anew: a row keeps two numbers in place of V.
    """
    highest, log_sum, share = saved
    counted = y != ignore_index
    slopes = logits - highest
    slopes -= log_sum
    np.exp(slopes, out=slopes)
    slopes[~counted] = 0.0
    slopes[counted, y[counted]] -= 1.0
    # A numpy integer would turn float32 into float64; a plain one does not.
    return dy * share / int(counted.sum()) * slopes


def dropout_forward(x, p, seed, offset):
    """y = x * keep,  keep = 0 with probability p, else 1 / (1 - p), so that y is x on average

    keep is 0 where the word at that place of the stream `seed`, from counter `offset` on, is below
    p * 2 ** 32. Srivastava and others, 2014.
    """
    kept = noise.random_words(seed, offset, x.size).reshape(x.shape) >= int(p * 2**32)
    return np.where(kept, x * (1 / (1 - p)), 0.0)


def dropout_backward(dy, p, seed, offset):
    """dx = dy * keep, with the same keep: it is computed once more"""
    return dropout_forward(dy, p, seed, offset)


def layernorm_forward(x, weight, bias, eps=1e-5):
    """y = weight * n + bias,  n = (x - mean) * r,  r = 1 / sqrt(variance + eps)        x, y (…, C)

    Returns y and saved: the mean and r of each row, (…, 1). Ba, Kiros and Hinton, 2016.
    """
    mean = row_mean(x)
    centred = x - mean
    r = 1 / np.sqrt(row_mean(centred * centred) + eps)
    y = centred
    y *= r
    y *= weight
    y += bias
    return y, (mean, r)


def layernorm_backward(dy, x, weight, saved):
    """dx = r * (dn - mean of dn - n * mean of dn * n),  dn = dy * weight

    dweight = dy * n    dbias = dy, each added up over all rows
    """
    mean, r = saved
    n = x - mean
    n *= r
    dweight, dbias = sum_over_rows(dy * n), sum_over_rows(dy)
    dx = dy * weight  # dn
    shift, share = row_mean(dx), row_mean(dx * n)
    n *= share
    dx -= n
    dx -= shift
    dx *= r
    return dx, dweight, dbias


def rows(x):
    """(…, C) -> (N, C): one product of all rows is faster than many of a few rows each"""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def sum_over_rows(x):
    """y[c] = the sum of x[…, c], (…, C) -> (C). Sums are fastest as products with ones."""
    return np.ones(x.size // x.shape[-1], x.dtype) @ rows(x)


def row_sum(x):
    """x.sum(axis=-1, keepdims=True), (…, C) -> (…, 1)"""
    return x @ np.ones((x.shape[-1], 1), x.dtype)


def row_max(x):
    """x.max(axis=-1, keepdims=True), (…, C) -> (…, 1). Finding its place is faster than max."""
    return np.take_along_axis(x, x.argmax(axis=-1, keepdims=True), axis=-1)


def row_mean(x):
    """x.mean(axis=-1, keepdims=True), (…, C) -> (…, 1)"""
    return row_sum(x) / x.shape[-1]


def square_sum(x):
    """The sum of the squares of all numbers of x, for norm alone to read"""
    return float(np.vdot(x, x))


def norm(*square_sums):
    """sqrt(their sum), of the square_sum of one or more arrays"""
    return math.sqrt(sum(square_sums))


def total(*numbers):
    """The sum of numbers, each plain or an array of shape ()"""
    return sum(float(number) for number in numbers)


def fill(x, number):
    """x = number everywhere, in place. Returns x."""
    x[...] = number
    return x


def scale(x, factor):
    """x *= factor, in place. Returns x."""
    x *= factor
    return x


def adamw_step(w, grad, m, v, t, lr, betas, eps, weight_decay, norm=0.0, max_norm=math.inf):
    """One step of AdamW, in place: w, grad, m and v of one shape, t the number of the step from 1

    g = grad * min(1, max_norm / norm)    norm: of the gradients of all weights
    w = w - lr * weight_decay * w
    m = beta1 * m + (1 - beta1) * g       v = beta2 * v + (1 - beta2) * g ** 2
    w = w - lr * m' / (sqrt(v') + eps),   m' = m / (1 - beta1 ** t), v' = v / (1 - beta2 ** t)
    Returns w, m and v, which it has changed.
    """
    if norm > max_norm:
        grad = grad * (max_norm / norm)
    beta1, beta2 = betas
    m_scale, v_scale = 1 / (1 - beta1**t), 1 / (1 - beta2**t)
    m *= beta1
    m += (1 - beta1) * grad
    v *= beta2
    v += (1 - beta2) * grad * grad
    w *= 1 - lr * weight_decay
    w -= lr * m_scale * m / (np.sqrt(v * v_scale) + eps)
    return w, m, v
