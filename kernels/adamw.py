"""The end of a step, over flat arrays of n numbers.

square_sum, norm   norm = sqrt(the sum of grad ** 2), in two stages           4 bytes a number
adamw_step         g = grad * min(1, max_norm / norm)                        28 bytes
                   m = beta1 * m + (1 - beta1) * g    v = beta2 * v + (1 - beta2) * g ** 2
                   w = w - lr * weight_decay * w - lr * m' / (sqrt(v') + eps)
                   m' = m * m_scale    v' = v * v_scale,  1 / (1 - beta ** t), t the step's number
fill               x = number                                                 4 bytes
The norm stays on the device: who clips reads it there, and nobody waits for it.
"""

import math

from kernels.device import empty, zeros
from kernels.language import cdiv, jit, tl

BLOCK = 1024
# So many programs at most sum up squares, and one adds up what they have found.
PARTS = 1024


@jit
def squares_kernel(x_ptr, partial_ptr, n, EACH, BLOCK: tl.constexpr):
    """partial[i] = the sum of x ** 2 over EACH numbers        x (n), partial (parts)"""
    part = tl.program_id(0).to(tl.int64)
    end = tl.minimum(n, (part + 1) * EACH)
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(part * EACH, end, BLOCK):
        i = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + i, mask=i < end, other=0.0)
        total += x * x
    tl.store(partial_ptr + part, tl.sum(total, axis=0))


@jit
def root_kernel(partial_ptr, norm_ptr, parts, BLOCK: tl.constexpr):
    """norm = sqrt(the sum of partial), by one program        partial (parts), norm ()"""
    i = tl.arange(0, BLOCK)
    partial = tl.load(partial_ptr + i, mask=i < parts, other=0.0)
    tl.store(norm_ptr, tl.sqrt(tl.sum(partial, axis=0)))


@jit
def adamw_kernel(
    grad_ptr, norm_ptr, w_ptr, m_ptr, v_ptr,  # (n), (), (n), (n), (n)
    n, max_norm, lr, weight_decay, beta1, beta2, rest1, rest2, eps, m_scale, v_scale,
    BLOCK: tl.constexpr,
):  # fmt: skip
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    norm = tl.load(norm_ptr)
    clip = tl.where(norm > max_norm, max_norm / norm, 1.0)
    g = tl.load(grad_ptr + i, mask=inside) * clip
    w = tl.load(w_ptr + i, mask=inside)
    m = beta1 * tl.load(m_ptr + i, mask=inside) + rest1 * g
    v = beta2 * tl.load(v_ptr + i, mask=inside) + rest2 * g * g
    w -= lr * weight_decay * w
    w -= lr * m * m_scale / (tl.sqrt(v * v_scale) + eps)
    tl.store(w_ptr + i, w, mask=inside)
    tl.store(m_ptr + i, m, mask=inside)
    tl.store(v_ptr + i, v, mask=inside)


@jit
def fill_kernel(x_ptr, n, number, BLOCK: tl.constexpr):
    """x (n)"""
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + i, tl.zeros((BLOCK,), tl.float32) + number, mask=i < n)


def square_sum(x):
    """The sums of squares of up to PARTS parts, for norm to add up."""
    n = x.size
    each = cdiv(cdiv(n, PARTS), BLOCK) * BLOCK
    partial = empty((cdiv(n, each),))
    squares_kernel[partial.shape](x_ptr=x, partial_ptr=partial, n=n, EACH=each, BLOCK=BLOCK)
    return partial


def norm(partial):
    """sqrt(the sum of squares), of what square_sum has returned; on a device that is one array."""
    root = empty(())
    root_kernel[(1,)](partial_ptr=partial, norm_ptr=root, parts=partial.size, BLOCK=PARTS)
    return root


def adamw_step(w, grad, m, v, t, lr, betas, eps, weight_decay, norm=None, max_norm=math.inf):
    (beta1, beta2), n = betas, w.size
    adamw_kernel[(cdiv(n, BLOCK),)](
        grad_ptr=grad, norm_ptr=zeros(()) if norm is None else norm, w_ptr=w, m_ptr=m, v_ptr=v,
        n=n, max_norm=max_norm, lr=lr, weight_decay=weight_decay,
        # 1 - 0.999 in float32 would be off in the fifth digit: it is computed here.
        beta1=beta1, beta2=beta2, rest1=1 - beta1, rest2=1 - beta2, eps=eps,
        m_scale=1 / (1 - beta1**t), v_scale=1 / (1 - beta2**t), BLOCK=BLOCK,
    )  # fmt: skip
    return w, m, v


def fill(x, number):
    """x = number everywhere, in place. Returns x."""
    fill_kernel[(cdiv(x.size, BLOCK),)](x_ptr=x, n=x.size, number=float(number), BLOCK=BLOCK)
    return x


def costs(s):
    """What one call of a launcher must at least move and compute: (bytes, FLOPs)."""
    n = (s.V + s.T) * s.C + s.L * (12 * s.C + 13) * s.C + 2 * s.C
    return {
        "square_sum": (4 * n, 2 * n),
        "norm": (4 * PARTS, PARTS),
        "adamw_step": (28 * n, 17 * n),
        "fill": (4 * n, 0),
    }
