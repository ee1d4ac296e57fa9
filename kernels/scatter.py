"""Many writers, one sum. Two stages in a fixed order repeat bit for bit; atomics do not.

column_sums         dbias[c] = sum over i of dy[i, c]                 4 bytes a number of dy
layernorm_sums      dbias, and dweight[c] = sum of dy[i, c] * n[i, c],  n = (x - mean) * r      8
embedding_forward   y[i] = weight[index[i]]                           8 bytes a number of y
embedding_backward  dweight[v] = sum of dy[i] where index[i] = v      4 a number of dy and dweight
N rows of C numbers: y, dy, x (…, C), and one number each: mean, r (…, 1), index (…); weight,
dweight (V, C). Besides, the first stage writes partial sums, and the second reads them: little
beside dy where each adds up many rows.
"""

import math

import numpy as np

from kernels.device import empty, put, zeros
from kernels.language import cdiv, jit, next_power_of_2, tl
from kernels.rows import blocks, layernorm_dx

# Into how many parts the rows are cut. Not taken from the GPU: the order of a sum must not be.
PARTS = 64
# Columns lie along the second axis of a grid, at least 32 a program; that axis ends at 65,535.
WIDEST = 32 * 65535
# How many places of one token make a piece of embedding_backward, at most.
PIECE = 16


@jit
def column_sums_kernel(
    dy_ptr, out_ptr,  # (N, C), (parts, C)
    N, C, ROWS_EACH, BLOCK_N: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    """out[part] = the sum of this part's ROWS_EACH rows of dy, in blocks of BLOCK_N"""
    part = tl.program_id(0)
    cols = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    end = tl.minimum(N, (part + 1) * ROWS_EACH)
    total = tl.zeros((BLOCK_N, BLOCK_C), tl.float32)
    for start in range(part * ROWS_EACH, end, BLOCK_N):
        rows = start + tl.arange(0, BLOCK_N)
        inside = (rows < end)[:, None] & (cols < C)[None, :]
        places = rows.to(tl.int64)[:, None] * C + cols[None, :]
        total += tl.load(dy_ptr + places, mask=inside, other=0.0)
    tl.store(out_ptr + part * C + cols, tl.sum(total, axis=0), mask=cols < C)


@jit
def column_sums_atomic_kernel(
    dy_ptr, out_ptr,  # (N, C), (C)
    N, C, ROWS_EACH, BLOCK_N: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    part = tl.program_id(0)
    cols = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    end = tl.minimum(N, (part + 1) * ROWS_EACH)
    total = tl.zeros((BLOCK_N, BLOCK_C), tl.float32)
    for start in range(part * ROWS_EACH, end, BLOCK_N):
        rows = start + tl.arange(0, BLOCK_N)
        inside = (rows < end)[:, None] & (cols < C)[None, :]
        places = rows.to(tl.int64)[:, None] * C + cols[None, :]
        total += tl.load(dy_ptr + places, mask=inside, other=0.0)
    tl.atomic_add(out_ptr + cols, tl.sum(total, axis=0), mask=cols < C, sem="relaxed")


@jit
def layernorm_sums_kernel(
    dy_ptr, x_ptr, mean_ptr, r_ptr,  # (N, C), (N, C), (N), (N)
    out_ptr,  # (parts, 2, C)
    N, C, ROWS_EACH, BLOCK_N: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    """out[part] = this part's share of dweight and of dbias"""
    part = tl.program_id(0)
    cols = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    end = tl.minimum(N, (part + 1) * ROWS_EACH)
    dweight = tl.zeros((BLOCK_N, BLOCK_C), tl.float32)
    dbias = tl.zeros((BLOCK_N, BLOCK_C), tl.float32)
    for start in range(part * ROWS_EACH, end, BLOCK_N):
        rows = start + tl.arange(0, BLOCK_N)
        inside = (rows < end)[:, None] & (cols < C)[None, :]
        places = rows.to(tl.int64)[:, None] * C + cols[None, :]
        dy = tl.load(dy_ptr + places, mask=inside, other=0.0)
        x = tl.load(x_ptr + places, mask=inside, other=0.0)
        mean = tl.load(mean_ptr + rows, mask=rows < end, other=0.0)
        r = tl.load(r_ptr + rows, mask=rows < end, other=0.0)
        dweight += dy * (x - mean[:, None]) * r[:, None]
        dbias += dy
    out_ptr += part * 2 * C
    tl.store(out_ptr + cols, tl.sum(dweight, axis=0), mask=cols < C)
    tl.store(out_ptr + C + cols, tl.sum(dbias, axis=0), mask=cols < C)


@jit
def embedding_forward_kernel(
    weight_ptr, index_ptr, y_ptr,  # (V, C), (N), (N, C)
    N, C, ROWS: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    cols = tl.arange(0, BLOCK_C)
    here = rows < N
    inside = here[:, None] & (cols < C)[None, :]
    v = tl.load(index_ptr + rows, mask=here, other=0).to(tl.int64)
    y = tl.load(weight_ptr + v[:, None] * C + cols[None, :], mask=inside, other=0.0)
    tl.store(y_ptr + rows.to(tl.int64)[:, None] * C + cols[None, :], y, mask=inside)


@jit
def embedding_pieces_kernel(
    dy_ptr, order_ptr, start_ptr,  # (N, C), (N), (pieces + 1)
    partial_ptr,  # (pieces, C)
    C, BLOCK_C: tl.constexpr,
):  # fmt: skip
    """partial[j] = the sum of dy[order[i]], start[j] <= i < start[j + 1]: all of one v"""
    j = tl.program_id(0)
    cols = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    total = tl.zeros((BLOCK_C,), tl.float32)
    end = tl.load(start_ptr + j + 1)
    for i in range(tl.load(start_ptr + j), end):
        row = tl.load(order_ptr + i).to(tl.int64)
        total += tl.load(dy_ptr + row * C + cols, mask=cols < C, other=0.0)
    tl.store(partial_ptr + j * C + cols, total, mask=cols < C)


@jit
def embedding_rows_kernel(
    partial_ptr, first_ptr,  # (pieces, C), (V + 1)
    dweight_ptr,  # (V, C)
    C, BLOCK_C: tl.constexpr,
):  # fmt: skip
    """dweight[v] = the sum of partial[j], first[v] <= j < first[v + 1]; 0 where v never occurs"""
    v = tl.program_id(0)
    cols = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    total = tl.zeros((BLOCK_C,), tl.float32)
    end = tl.load(first_ptr + v + 1)
    for j in range(tl.load(first_ptr + v), end):
        total += tl.load(partial_ptr + j * C + cols, mask=cols < C, other=0.0)
    tl.store(dweight_ptr + v.to(tl.int64) * C + cols, total, mask=cols < C)


@jit
def embedding_atomic_kernel(
    dy_ptr, index_ptr, dweight_ptr,  # (N, C), (N), (V, C)
    N, C, ROWS: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    cols = tl.arange(0, BLOCK_C)
    here = rows < N
    inside = here[:, None] & (cols < C)[None, :]
    v = tl.load(index_ptr + rows, mask=here, other=0).to(tl.int64)
    places = rows.to(tl.int64)[:, None] * C + cols[None, :]
    dy = tl.load(dy_ptr + places, mask=inside, other=0.0)
    to = dweight_ptr + v[:, None] * C + cols[None, :]
    tl.atomic_add(to, dy, mask=inside, sem="relaxed")


def parts(N):
    """How many parts N rows are cut into, and the rows of each, a multiple of 16 (BLOCK_N)"""
    each = cdiv(cdiv(N, PARTS), 16) * 16
    return cdiv(N, each), each


def column_sums(dy):
    """dbias (C) of dy (…, C)"""
    C = dy.shape[-1]
    if C > WIDEST:
        raise ValueError(f"column_sums: got {C:,} columns; expected at most {WIDEST:,}")
    N = dy.size // C
    count, each = parts(N)
    partial = empty((count, C))
    column_sums_kernel[(count, cdiv(C, 64))](
        dy_ptr=dy, out_ptr=partial, N=N, C=C, ROWS_EACH=each, BLOCK_N=16, BLOCK_C=64
    )
    return add_parts(partial)


def add_parts(partial):
    """The second stage: the sum over the parts, (parts, C) -> (C)"""
    N, C = partial.shape
    out = empty((C,))
    column_sums_kernel[(1, cdiv(C, 32))](
        dy_ptr=partial, out_ptr=out, N=N, C=C, ROWS_EACH=N, BLOCK_N=64, BLOCK_C=32
    )
    return out


def column_sums_atomic(dy):
    C = dy.shape[-1]
    N = dy.size // C
    count, each = parts(N)
    out = zeros((C,))
    column_sums_atomic_kernel[(count, cdiv(C, 64))](
        dy_ptr=dy, out_ptr=out, N=N, C=C, ROWS_EACH=each, BLOCK_N=16, BLOCK_C=64
    )
    return out


def unbroadcast(gradient, shape):
    """The sum of gradient over the axes in front that an array of this shape does not have

    Raises ValueError where these are not all that differs.
    """
    if len(shape) > gradient.ndim or gradient.shape[gradient.ndim - len(shape) :] != shape:
        raise ValueError(f"backward: got a gradient of shape {gradient.shape}; expected {shape}")
    C = math.prod(shape)
    return column_sums(gradient.reshape(gradient.size // C, C)).reshape(shape)


def layernorm_sums(dy, x, saved):
    mean, r = saved
    C = x.shape[-1]
    N = x.size // C
    count, each = parts(N)
    partial = empty((count, 2 * C))
    layernorm_sums_kernel[(count, cdiv(C, 64))](
        dy_ptr=dy, x_ptr=x, mean_ptr=mean, r_ptr=r, out_ptr=partial,
        N=N, C=C, ROWS_EACH=each, BLOCK_N=16, BLOCK_C=64,
    )  # fmt: skip
    sums = add_parts(partial)
    return sums[:C], sums[C:]


def layernorm_backward(dy, x, weight, saved):
    return layernorm_dx(dy, x, weight, saved), *layernorm_sums(dy, x, saved)


def embedding_forward(weight, index):
    N, C = index.size, weight.shape[1]
    b = blocks(C)
    y = empty((*index.shape, C))
    embedding_forward_kernel[(cdiv(N, b["ROWS"]),)](
        weight_ptr=weight, index_ptr=put(index.astype(np.int32)), y_ptr=y, N=N, C=C, **b
    )
    return y


def embedding_order(index, V):
    """The plan of embedding_backward, made on the host, where the index is: numbers below V

    order: the places, sorted by v = index[place]. start: where in it each piece begins, and the
    end; a piece is of one v, and at most PIECE long. first: the first piece of each v, and the end.
    """
    index = index.reshape(-1)
    order = np.argsort(index, kind="stable")
    counts = np.bincount(index, minlength=V)
    first = np.concatenate([[0], np.cumsum(-(-counts // PIECE))])
    v = np.repeat(np.arange(V), np.diff(first))  # of each piece
    begins = np.cumsum(counts) - counts
    start = begins[v] + (np.arange(first[-1]) - first[v]) * PIECE
    return [x.astype(np.int32) for x in (order, np.append(start, index.size), first)]


def embedding_backward(dy, index, shape):
    V, C = shape
    order, start, first = embedding_order(index, V)
    pieces, BLOCK_C = len(start) - 1, min(1024, next_power_of_2(C))
    partial, dweight = empty((pieces, C)), empty(shape)
    embedding_pieces_kernel[(pieces, cdiv(C, BLOCK_C))](
        dy_ptr=dy, order_ptr=put(order), start_ptr=put(start), partial_ptr=partial,
        C=C, BLOCK_C=BLOCK_C,
    )  # fmt: skip
    embedding_rows_kernel[(V, cdiv(C, BLOCK_C))](
        partial_ptr=partial, first_ptr=put(first), dweight_ptr=dweight, C=C, BLOCK_C=BLOCK_C
    )
    return dweight


def embedding_backward_atomic(dy, index, shape):
    N, C = index.size, shape[1]
    b = blocks(C)
    dweight = zeros(shape)
    embedding_atomic_kernel[(cdiv(N, b["ROWS"]),)](
        dy_ptr=dy, index_ptr=put(index.astype(np.int32)), dweight_ptr=dweight, N=N, C=C, **b
    )
    return dweight


def costs(s):
    """What one call of a launcher must at least move and compute: (bytes, FLOPs)."""
    road, table, places = s.N * s.C, s.V * s.C, s.T * s.C
    return {
        "layernorm_backward": (12 * road, 15 * road),
        "embedding_forward": (8 * road, 0),
        "embedding_backward": (4 * road + 4 * table, road),
        "unbroadcast": (4 * road + 4 * places, road),
    }
