"""A row on chip: a program reads its rows once, keeps them, and writes each result once.

layernorm_forward   y = weight * n + bias,  n = (x - mean) * r,  r = 1 / sqrt(variance + eps)
layernorm_dx        dx = r * (dn - mean of dn - n * mean of dn * n),  dn = dy * weight
softmax_forward     p[j] = exp(logits[j] / temperature) / (sum of them over the row)
softmax_backward    dlogits = p * (dy - sum of p * dy over the row) / temperature
N rows of C numbers: x, y, dy, dx, logits, p (…, C); weight, bias (C); mean, r (…, 1).
Bytes a number: forward 8 (read x, write y), backward 12 (read dy and x, or dy and p; write dx).
"""

from kernels.device import empty
from kernels.language import cdiv, jit, next_power_of_2, tl

# Numbers that a program holds at a time: short rows share a program, long ones have it alone.
HELD = 2048
# With 32,768 numbers a row no longer fits the registers: the compiler moves some to memory.
LONGEST = 16384


@jit
def layernorm_forward_kernel(
    x_ptr, weight_ptr, bias_ptr,  # (N, C), (C), (C)
    y_ptr, mean_ptr, r_ptr,  # (N, C), (N), (N)
    N, C, eps, ROWS: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    cols = tl.arange(0, BLOCK_C)
    here, width = rows < N, cols < C
    inside = here[:, None] & width[None, :]
    places = rows.to(tl.int64)[:, None] * C + cols[None, :]
    x = tl.load(x_ptr + places, mask=inside, other=0.0)
    mean = tl.sum(x, axis=1) / C
    # Padding became -mean: it is masked again.
    centred = tl.where(inside, x - mean[:, None], 0.0)
    r = 1.0 / tl.sqrt(tl.sum(centred * centred, axis=1) / C + eps)
    weight = tl.load(weight_ptr + cols, mask=width, other=0.0)
    bias = tl.load(bias_ptr + cols, mask=width, other=0.0)
    y = centred * r[:, None] * weight[None, :] + bias[None, :]
    tl.store(y_ptr + places, y, mask=inside)
    tl.store(mean_ptr + rows, mean, mask=here)
    tl.store(r_ptr + rows, r, mask=here)


@jit
def layernorm_dx_kernel(
    dy_ptr, x_ptr, weight_ptr, mean_ptr, r_ptr,  # (N, C), (N, C), (C), (N), (N)
    dx_ptr,  # (N, C)
    N, C, ROWS: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    cols = tl.arange(0, BLOCK_C)
    here, width = rows < N, cols < C
    inside = here[:, None] & width[None, :]
    places = rows.to(tl.int64)[:, None] * C + cols[None, :]
    dy = tl.load(dy_ptr + places, mask=inside, other=0.0)
    x = tl.load(x_ptr + places, mask=inside, other=0.0)
    weight = tl.load(weight_ptr + cols, mask=width, other=0.0)
    mean = tl.load(mean_ptr + rows, mask=here, other=0.0)
    r = tl.load(r_ptr + rows, mask=here, other=0.0)
    n = tl.where(inside, (x - mean[:, None]) * r[:, None], 0.0)
    dn = dy * weight[None, :]
    shift = tl.sum(dn, axis=1) / C
    share = tl.sum(dn * n, axis=1) / C
    dx = r[:, None] * (dn - shift[:, None] - n * share[:, None])
    tl.store(dx_ptr + places, dx, mask=inside)


@jit
def softmax_forward_kernel(
    logits_ptr, p_ptr,  # (N, C), (N, C)
    N, C, temperature, ROWS: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    cols = tl.arange(0, BLOCK_C)
    inside = (rows < N)[:, None] & (cols < C)[None, :]
    places = rows.to(tl.int64)[:, None] * C + cols[None, :]
    # Of the lowest number exp makes 0; with -inf a row of nothing but padding would be NaN.
    x = tl.load(logits_ptr + places, mask=inside, other=-1e38)
    exps = tl.exp((x - tl.max(x, axis=1)[:, None]) / temperature)
    p = exps / tl.sum(exps, axis=1)[:, None]
    tl.store(p_ptr + places, p, mask=inside)


@jit
def softmax_backward_kernel(
    dy_ptr, p_ptr, dlogits_ptr,  # (N, C) each
    N, C, temperature, ROWS: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    cols = tl.arange(0, BLOCK_C)
    inside = (rows < N)[:, None] & (cols < C)[None, :]
    places = rows.to(tl.int64)[:, None] * C + cols[None, :]
    dy = tl.load(dy_ptr + places, mask=inside, other=0.0)
    p = tl.load(p_ptr + places, mask=inside, other=0.0)
    dlogits = p * (dy - tl.sum(p * dy, axis=1)[:, None]) / temperature
    tl.store(dlogits_ptr + places, dlogits, mask=inside)


def blocks(C):
    """Rows a program, numbers a row with padding, and warps: 16 to 32 numbers a thread."""
    if C > LONGEST:
        raise ValueError(f"kernel: got rows of {C:,} numbers; expected at most {LONGEST:,}")
    BLOCK_C = next_power_of_2(C)
    ROWS = max(1, HELD // BLOCK_C)
    return {"ROWS": ROWS, "BLOCK_C": BLOCK_C, "num_warps": min(16, max(4, BLOCK_C // 1024))}


def layernorm_forward(x, weight, bias, eps=1e-5):
    C = x.shape[-1]
    N, b = x.size // C, blocks(C)
    y, mean, r = empty(x.shape), empty((*x.shape[:-1], 1)), empty((*x.shape[:-1], 1))
    layernorm_forward_kernel[(cdiv(N, b["ROWS"]),)](
        x_ptr=x, weight_ptr=weight, bias_ptr=bias, y_ptr=y, mean_ptr=mean, r_ptr=r,
        N=N, C=C, eps=eps, **b,
    )  # fmt: skip
    return y, (mean, r)


def layernorm_dx(dy, x, weight, saved):
    C = x.shape[-1]
    N, b = x.size // C, blocks(C)
    mean, r = saved
    dx = empty(x.shape)
    layernorm_dx_kernel[(cdiv(N, b["ROWS"]),)](
        dy_ptr=dy, x_ptr=x, weight_ptr=weight, mean_ptr=mean, r_ptr=r, dx_ptr=dx, N=N, C=C, **b
    )
    return dx


def softmax_forward(logits, temperature=1.0):
    C = logits.shape[-1]
    N, b = logits.size // C, blocks(C)
    p = empty(logits.shape)
    softmax_forward_kernel[(cdiv(N, b["ROWS"]),)](
        logits_ptr=logits, p_ptr=p, N=N, C=C, temperature=temperature, **b
    )
    return p


def softmax_backward(dy, p, temperature):
    C = p.shape[-1]
    N, b = p.size // C, blocks(C)
    dlogits = empty(p.shape)
    softmax_backward_kernel[(cdiv(N, b["ROWS"]),)](
        dy_ptr=dy, p_ptr=p, dlogits_ptr=dlogits, N=N, C=C, temperature=temperature, **b
    )
    return dlogits


def costs(s):
    """What one call of a launcher must at least move and compute: (bytes, FLOPs)."""
    road, shares = s.N * s.C, s.N * s.T
    return {
        "layernorm_forward": (8 * road, 7 * road),
        "softmax_forward": (8 * shares, 5 * shares),
        "softmax_backward": (12 * shares, 5 * shares),
    }
