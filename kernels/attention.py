"""Causal attention that never stores its (T, T): softmax is mended while keys stream past.

y[t] = sum over s <= t of p[t, s] * v[s],  p[t] = softmax(q[t] . k[s] / sqrt(D)), each head

qkv (B, T, 3 * C), y (B, T, C), C = H * D. Kept for the way back: y, and lse (B, H, T), the log of
the sum of exp of a place's scores, with which p = exp(score - lse) can be made again.
FLOPs, causal: 2 * B * T * T * C. Bytes: 16 a number of y, if a tile's keys come from the cache.
Places within a window are int32, so T * 3 * C is below 2 ** 31. Dao and others, 2022; Dao, 2023.
"""

from kernels import launch
from kernels.device import empty
from kernels.language import cdiv, jit, next_power_of_2, tl

# Tiles by precision: BLOCK_T queries, BLOCK_S keys, warps, stages. TILES fit everywhere; HOPPER
# were the fastest on an H100 (sm_90): its tensor cores read shared memory themselves, so that
# registers are left for larger ones.
TILES = {
    "forward": {"ieee": (32, 32, 4, 2), "tf32x3": (32, 32, 2, 2)},
}
HOPPER = {
    "forward": {"ieee": (32, 32, 4, 2), "tf32x3": (64, 64, 4, 1)},
}
# Heads of more than 64 numbers leave room for small tiles only.
WIDE = {"forward": (32, 32, 4, 1)}


@jit
def attention_forward_kernel(
    qkv_ptr, y_ptr, lse_ptr,  # (B, T, 3 * C), (B, T, C), (B, H, T)
    T, H, D, scale, PRECISION: tl.constexpr,
    BLOCK_T: tl.constexpr, BLOCK_S: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    # The last tile has the most keys to see; started first, it does not end alone.
    tile = tl.num_programs(0) - 1 - tl.program_id(0)
    bh = tl.program_id(1)
    b, h, C = (bh // H).to(tl.int64), bh % H, H * D
    t = tile * BLOCK_T + tl.arange(0, BLOCK_T)
    d = tl.arange(0, BLOCK_D)
    q_ptr = qkv_ptr + b * T * 3 * C + h * D
    q_inside = (t < T)[:, None] & (d < D)[None, :]
    q = tl.load(q_ptr + t[:, None] * (3 * C) + d[None, :], mask=q_inside, other=0.0) * scale
    # Not -inf: -inf - -inf is NaN. exp(-1e38 - score) is 0 for any score.
    most = tl.full((BLOCK_T,), -1e38, tl.float32)
    total = tl.zeros((BLOCK_T,), tl.float32)
    y = tl.zeros((BLOCK_T, BLOCK_D), tl.float32)
    for start in range(0, tl.minimum(T, (tile + 1) * BLOCK_T), BLOCK_S):
        s = start + tl.arange(0, BLOCK_S)
        places = s[:, None] * (3 * C) + d[None, :]
        inside = (s < T)[:, None] & (d < D)[None, :]
        k = tl.load(q_ptr + C + places, mask=inside, other=0.0)
        v = tl.load(q_ptr + 2 * C + places, mask=inside, other=0.0)
        scores = tl.dot(q, tl.trans(k), input_precision=PRECISION)  # (BLOCK_T, BLOCK_S)
        scores = tl.where(s[None, :] <= t[:, None], scores, -1e38)
        new = tl.maximum(most, tl.max(scores, axis=1))
        p = tl.exp(scores - new[:, None])
        mend = tl.exp(most - new)
        total = total * mend + tl.sum(p, axis=1)
        y = tl.dot(p, v, y * mend[:, None], input_precision=PRECISION)
        most = new
    y_ptr += b * T * C + h * D
    tl.store(y_ptr + t[:, None] * C + d[None, :], y / total[:, None], mask=q_inside)
    tl.store(lse_ptr + bh.to(tl.int64) * T + t, most + tl.log(total), mask=t < T)


def config(part, D):
    """Precision and tiles of one kernel for heads of D numbers on this GPU."""
    BLOCK_D = max(16, next_power_of_2(D))
    table = HOPPER if launch.capability()[0] == 9 else TILES
    tiles = WIDE[part] if BLOCK_D > 64 else table[part][launch.precision()]
    names = ("BLOCK_T", "BLOCK_S", "num_warps", "num_stages")
    return {"PRECISION": launch.precision(), "BLOCK_D": BLOCK_D, **dict(zip(names, tiles))}


def attention_forward(qkv, H):
    """Returns y and saved: y and lse."""
    B, T, C = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3
    tiles = config("forward", C // H)
    y, lse = empty((B, T, C)), empty((B, H, T))
    attention_forward_kernel[(cdiv(T, tiles["BLOCK_T"]), B * H)](
        qkv_ptr=qkv, y_ptr=y, lse_ptr=lse,
        T=T, H=H, D=C // H, scale=(C // H) ** -0.5, **tiles,
    )  # fmt: skip
    return y, (y, lse)


def costs(s):
    """What one call of each launcher must at least move and compute: (bytes, FLOPs, in products)"""
    n, rows = s.N * s.C, s.N * s.H
    # A place looks at (T + 1) / 2 places on average.
    scores = rows * (s.T + 1) // 2
    D = s.C // s.H
    return {
        "attention_forward": (16 * n + 4 * rows, 3 * scores, 4 * D * scores),
    }
