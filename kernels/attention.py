"""Causal attention that never stores its (T, T): softmax is mended while keys stream past.

y[t] = sum over s <= t of p[t, s] * v[s],  p[t] = softmax(q[t] . k[s] / sqrt(D)), each head

qkv (B, T, 3 * C), y (B, T, C), C = H * D. Kept for the way back: y, and lse (B, H, T), the log of
the sum of exp of a place's scores, with which p = exp(score - lse) is made again, tile by tile.
dv = p.T @ dy    dp = dy @ v.T    ds = p * (dp - delta) / sqrt(D),  delta[t] = dy[t] . y[t]
dq = ds @ k      dk = ds.T @ q
FLOPs, causal: 2 * B * T * T * C, backward 3.5 times that. Bytes: 16 a number of y, backward 32, if
what a tile meets comes from the cache. Places within a window are int32, so T * 3 * C is below
2 ** 31. Dao and others, 2022; Dao, 2023.
"""

from kernels import launch
from kernels.device import empty
from kernels.language import cdiv, jit, next_power_of_2, tl

# Tiles by precision: BLOCK_T queries, BLOCK_S keys, warps, stages. TILES fit everywhere; HOPPER
# were the fastest on an H100 (sm_90): its tensor cores read shared memory themselves, so that
# registers are left for larger ones.
# Compare a new one on a device, at D = 64: there dkv with (16, 64, 8, 2) and tf32x3 compiles, but
# reads beyond its shared memory (triton 3.6).
TILES = {
    "forward": {"ieee": (32, 32, 4, 2), "tf32x3": (32, 32, 2, 2)},
    "dq": {"ieee": (32, 16, 4, 2), "tf32x3": (32, 32, 4, 2)},
    "dkv": {"ieee": (32, 16, 4, 2), "tf32x3": (32, 32, 4, 2)},
}
HOPPER = {
    "forward": {"ieee": (32, 32, 4, 2), "tf32x3": (64, 64, 4, 1)},
    "dq": {"ieee": (32, 32, 4, 2), "tf32x3": (64, 64, 4, 1)},
    "dkv": {"ieee": (32, 16, 4, 2), "tf32x3": (64, 32, 4, 1)},
}
# Heads of more than 64 numbers leave room for small tiles only.
WIDE = {"forward": (32, 32, 4, 1), "dq": (32, 16, 4, 1), "dkv": (16, 32, 4, 1)}


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


@jit
def attention_dq_kernel(
    dy_ptr, qkv_ptr, y_ptr, lse_ptr,  # (B, T, C), (B, T, 3 * C), (B, T, C), (B, H, T)
    dqkv_ptr, delta_ptr,  # (B, T, 3 * C), (B, H, T)
    T, H, D, scale, PRECISION: tl.constexpr,
    BLOCK_T: tl.constexpr, BLOCK_S: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """A tile of queries meets all its keys. It leaves delta for the next kernel."""
    tile = tl.num_programs(0) - 1 - tl.program_id(0)
    bh = tl.program_id(1)
    b, h, C = (bh // H).to(tl.int64), bh % H, H * D
    t = tile * BLOCK_T + tl.arange(0, BLOCK_T)
    d = tl.arange(0, BLOCK_D)
    q_ptr = qkv_ptr + b * T * 3 * C + h * D
    q_inside = (t < T)[:, None] & (d < D)[None, :]
    q = tl.load(q_ptr + t[:, None] * (3 * C) + d[None, :], mask=q_inside, other=0.0) * scale
    y_places = b * T * C + h * D + t[:, None] * C + d[None, :]
    dy = tl.load(dy_ptr + y_places, mask=q_inside, other=0.0)
    y = tl.load(y_ptr + y_places, mask=q_inside, other=0.0)
    delta = tl.sum(dy * y, axis=1)
    lse = tl.load(lse_ptr + bh.to(tl.int64) * T + t, mask=t < T, other=0.0)
    dq = tl.zeros((BLOCK_T, BLOCK_D), tl.float32)
    for start in range(0, tl.minimum(T, (tile + 1) * BLOCK_T), BLOCK_S):
        s = start + tl.arange(0, BLOCK_S)
        places = s[:, None] * (3 * C) + d[None, :]
        inside = (s < T)[:, None] & (d < D)[None, :]
        k = tl.load(q_ptr + C + places, mask=inside, other=0.0)
        v = tl.load(q_ptr + 2 * C + places, mask=inside, other=0.0)
        scores = tl.dot(q, tl.trans(k), input_precision=PRECISION)
        p = tl.where(s[None, :] <= t[:, None], tl.exp(scores - lse[:, None]), 0.0)
        dp = tl.dot(dy, tl.trans(v), input_precision=PRECISION)
        ds = p * (dp - delta[:, None])
        dq = tl.dot(ds, k, dq, input_precision=PRECISION)
    dq_ptr = dqkv_ptr + b * T * 3 * C + h * D
    tl.store(dq_ptr + t[:, None] * (3 * C) + d[None, :], dq * scale, mask=q_inside)
    tl.store(delta_ptr + bh.to(tl.int64) * T + t, delta, mask=t < T)


@jit
def attention_dkv_kernel(
    dy_ptr, qkv_ptr, lse_ptr, delta_ptr,  # (B, T, C), (B, T, 3 * C), (B, H, T), (B, H, T)
    dqkv_ptr,  # (B, T, 3 * C)
    T, H, D, scale, PRECISION: tl.constexpr,
    BLOCK_T: tl.constexpr, BLOCK_S: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    """A tile of keys meets all queries that saw it."""
    tile, bh = tl.program_id(0), tl.program_id(1)
    b, h, C = (bh // H).to(tl.int64), bh % H, H * D
    s = tile * BLOCK_S + tl.arange(0, BLOCK_S)
    d = tl.arange(0, BLOCK_D)
    q_ptr = qkv_ptr + b * T * 3 * C + h * D
    s_places = s[:, None] * (3 * C) + d[None, :]
    s_inside = (s < T)[:, None] & (d < D)[None, :]
    k = tl.load(q_ptr + C + s_places, mask=s_inside, other=0.0) * scale
    v = tl.load(q_ptr + 2 * C + s_places, mask=s_inside, other=0.0)
    lse_ptr += bh.to(tl.int64) * T
    delta_ptr += bh.to(tl.int64) * T
    dy_ptr += b * T * C + h * D
    dk = tl.zeros((BLOCK_S, BLOCK_D), tl.float32)
    dv = tl.zeros((BLOCK_S, BLOCK_D), tl.float32)
    for start in range(tile * BLOCK_S // BLOCK_T * BLOCK_T, T, BLOCK_T):
        t = start + tl.arange(0, BLOCK_T)
        inside = (t < T)[:, None] & (d < D)[None, :]
        q = tl.load(q_ptr + t[:, None] * (3 * C) + d[None, :], mask=inside, other=0.0)
        # A place outside has lse infinite: its p is 0.
        lse = tl.load(lse_ptr + t, mask=t < T, other=float("inf"))
        scores = tl.dot(k, tl.trans(q), input_precision=PRECISION)  # (BLOCK_S, BLOCK_T)
        p = tl.where(s[:, None] <= t[None, :], tl.exp(scores - lse[None, :]), 0.0)
        dy = tl.load(dy_ptr + t[:, None] * C + d[None, :], mask=inside, other=0.0)
        dv = tl.dot(p, dy, dv, input_precision=PRECISION)
        dp = tl.dot(v, tl.trans(dy), input_precision=PRECISION)
        delta = tl.load(delta_ptr + t, mask=t < T, other=0.0)
        ds = p * (dp - delta[None, :])
        dk = tl.dot(ds, q, dk, input_precision=PRECISION)
    dk_ptr = dqkv_ptr + b * T * 3 * C + h * D + C
    tl.store(dk_ptr + s_places, dk * scale, mask=s_inside)
    tl.store(dk_ptr + C + s_places, dv, mask=s_inside)


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


def attention_backward(dy, qkv, saved, H):
    """Returns dqkv, packed as qkv is. The second kernel reads what the first leaves: delta."""
    y, lse = saved
    B, T, C = dy.shape
    dq_tiles, dkv_tiles = config("dq", C // H), config("dkv", C // H)
    dqkv, delta = empty((B, T, 3 * C)), empty((B, H, T))
    sizes = {"T": T, "H": H, "D": C // H, "scale": (C // H) ** -0.5}
    attention_dq_kernel[(cdiv(T, dq_tiles["BLOCK_T"]), B * H)](
        dy_ptr=dy, qkv_ptr=qkv, y_ptr=y, lse_ptr=lse, dqkv_ptr=dqkv, delta_ptr=delta,
        **sizes, **dq_tiles,
    )  # fmt: skip
    attention_dkv_kernel[(cdiv(T, dkv_tiles["BLOCK_S"]), B * H)](
        dy_ptr=dy, qkv_ptr=qkv, lse_ptr=lse, delta_ptr=delta, dqkv_ptr=dqkv,
        **sizes, **dkv_tiles,
    )  # fmt: skip
    return dqkv


def costs(s):
    """What one call of each launcher must at least move and compute: (bytes, FLOPs, in products)"""
    n, rows = s.N * s.C, s.N * s.H
    # A place looks at (T + 1) / 2 places on average.
    scores = rows * (s.T + 1) // 2
    D = s.C // s.H
    return {
        "attention_forward": (16 * n + 4 * rows, 3 * scores, 4 * D * scores),
        "attention_backward": (32 * n + 4 * rows, 8 * scores, 14 * D * scores),
    }
