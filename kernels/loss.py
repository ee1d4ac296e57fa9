"""Cross-entropy that leaves dlogits where the logits were: no second array of (N, V).

loss = sum over i of l[i] / count,  l[i] = log(sum over v of exp(x[i, v])) - x[i, y[i]]
dx[i, v] = (p[i, v] - (1 where v = y[i], else 0)) / count,  p = softmax(x[i])
Places where y is ignore_index get l = 0 and dx = 0.        x, dx (N, V), y, l (N), x the logits
Bytes a logit: 8, one read and one write, as far as a row's second read finds it in the cache.
"""

import numpy as np

from kernels.device import empty, put
from kernels.elementwise import scale
from kernels.language import jit, next_power_of_2, tl

# So many logits of a row, and so many losses of rows, at a time.
BLOCK_V, BLOCK_N = 8192, 1024


@jit
def cross_entropy_kernel(
    logits_ptr, y_ptr, loss_ptr,  # (N, V), (N), (N)
    V, ignore_index, scale, BLOCK_V: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0)
    x_ptr = logits_ptr + row.to(tl.int64) * V
    y = tl.load(y_ptr + row)
    counts = tl.where(y == ignore_index, 0.0, 1.0)
    chosen = tl.load(x_ptr + y, mask=y != ignore_index, other=0.0)
    # The sum is of exp(x - most): a larger most mends what was added before.
    most = -1e38
    total = 0.0
    for start in range(0, V, BLOCK_V):
        cols = start + tl.arange(0, BLOCK_V)
        x = tl.load(x_ptr + cols, mask=cols < V, other=-1e38)
        new = tl.maximum(most, tl.max(x, axis=0))
        total = total * tl.exp(most - new) + tl.sum(tl.exp(x - new), axis=0)
        most = new
    log_sum = most + tl.log(total)
    tl.store(loss_ptr + row, counts * (log_sum - chosen))
    # From the end: what was read last is the likeliest to be still in the cache; evict_first
    # says that nobody needs it after this, and leaves the cache to the rows of others.
    last = tl.cdiv(V, BLOCK_V) - 1
    for block in range(0, last + 1):
        cols = (last - block) * BLOCK_V + tl.arange(0, BLOCK_V)
        x = tl.load(x_ptr + cols, mask=cols < V, other=-1e38, eviction_policy="evict_first")
        p = tl.exp(x - log_sum)
        dx = (p - tl.where(cols == y, 1.0, 0.0)) * (scale * counts)
        tl.store(x_ptr + cols, dx, mask=cols < V, eviction_policy="evict_first")


@jit
def total_kernel(x_ptr, total_ptr, n, scale, BLOCK: tl.constexpr):  # (n), ()
    """total = scale * the sum of all n numbers of x, by one program"""
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, n, BLOCK):
        i = start + tl.arange(0, BLOCK)
        total += tl.load(x_ptr + i, mask=i < n, other=0.0)
    tl.store(total_ptr, scale * tl.sum(total, axis=0))


def cross_entropy_forward(logits, y, ignore_index, count):
    """Returns the loss and saved: logits, which have become dlogits."""
    V, N = logits.shape[-1], y.size
    block = min(BLOCK_V, next_power_of_2(V))
    losses, loss = empty((N,)), empty(())
    cross_entropy_kernel[(N,)](
        logits_ptr=logits, y_ptr=put(y.astype(np.int32)), loss_ptr=losses,
        V=V, ignore_index=ignore_index, scale=1.0 / count,
        BLOCK_V=block, num_warps=max(1, block // 256),
    )  # fmt: skip
    total_kernel[(1,)](x_ptr=losses, total_ptr=loss, n=N, scale=1.0 / count, BLOCK=BLOCK_N)
    return loss, logits


def cross_entropy_backward(dy, logits, y, saved, ignore_index):
    """dlogits, made on the way there; dy is a single number of the host, nearly always 1."""
    return saved if dy == 1 else scale(saved, dy)


def costs(s):
    """What one call of a launcher must at least move and compute: (bytes, FLOPs)."""
    n = s.N * s.V
    # The way back costs something only where dy is not 1.
    return {"cross_entropy_forward": (8 * n, 7 * n), "cross_entropy_backward": (8 * n, n)}
