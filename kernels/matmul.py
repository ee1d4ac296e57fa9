"""y = a @ b (+ bias), by tiles: a number once fetched serves a whole row or column of a tile.

linear_forward    y = x @ weight.T + bias     x (…, C), weight (K, C), bias (K), y (…, K)
linear_backward   dx = dy @ weight    dweight = dy.T @ x    dbias = the sum of dy over all rows
One kernel makes all three products: a transpose is the same numbers with the strides exchanged.
2 * N * C * K FLOPs. Fetched: 4 * N * C * K * (1 / BLOCK_K + 1 / BLOCK_N) bytes, the most of it
from the cache, if programs that run at the same time want the same numbers (kernels/order.py).
"""

from kernels import launch
from kernels.device import empty
from kernels.language import cdiv, jit, tl
from kernels.scatter import column_sums, column_sums_kernel
from kernels.tiles import chosen

# So many rows of tiles are walked column by column.
GROUP = 8
# So many programs keep every multiprocessor of a large GPU busy.
ENOUGH = 1024
# The axis along which b has to lie in memory, by precision: ordinary units take neighbours of a row
# of b at a time, tensor cores neighbours of a column.
ALONG = {"ieee": 1, "tf32x3": 0}


@jit
def matmul_kernel(
    a_ptr, b_ptr, bias_ptr,  # (N, C), (C, K), (K)
    y_ptr,  # (parts, N, K)
    a_row_stride, a_col_stride, b_row_stride, b_col_stride, N, C, K, C_EACH,
    HAS_BIAS: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_N: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    # Programs start in the order of their numbers. GROUP rows of tiles are walked column by
    # column, so that those running at one time share few rows of a and few columns of b.
    tiles_n, tiles_k = tl.cdiv(N, BLOCK_N), tl.cdiv(K, BLOCK_K)
    tile, part = tl.program_id(0), tl.program_id(1)
    first = tile // (GROUP * tiles_k) * GROUP
    high = tl.minimum(tiles_n - first, GROUP)
    within = tile % (GROUP * tiles_k)
    rows = (first + within % high) * BLOCK_N + tl.arange(0, BLOCK_N)
    cols = within // high * BLOCK_K + tl.arange(0, BLOCK_K)
    inner = part * C_EACH + tl.arange(0, BLOCK_C)
    end = tl.minimum(C, (part + 1) * C_EACH)
    far_rows, far_cols, far_inner = rows.to(tl.int64), cols.to(tl.int64), inner.to(tl.int64)
    a_ptrs = a_ptr + far_rows[:, None] * a_row_stride + far_inner[None, :] * a_col_stride
    b_ptrs = b_ptr + far_inner[:, None] * b_row_stride + far_cols[None, :] * b_col_stride
    y = tl.zeros((BLOCK_N, BLOCK_K), tl.float32)
    for start in range(part * C_EACH, end, BLOCK_C):
        left = tl.arange(0, BLOCK_C) < end - start
        a = tl.load(a_ptrs, mask=(rows < N)[:, None] & left[None, :], other=0.0)
        b = tl.load(b_ptrs, mask=left[:, None] & (cols < K)[None, :], other=0.0)
        y = tl.dot(a, b, y, input_precision=PRECISION)
        a_ptrs += BLOCK_C * a_col_stride
        b_ptrs += BLOCK_C * b_row_stride
    if HAS_BIAS:
        y += tl.load(bias_ptr + cols, mask=cols < K, other=0.0)[None, :]
    y_ptrs = y_ptr + (part.to(tl.int64) * N + far_rows)[:, None] * K + cols[None, :]
    tl.store(y_ptrs, y, mask=(rows < N)[:, None] & (cols < K)[None, :])


@jit
def turn_kernel(x_ptr, y_ptr, N, C, BLOCK_N: tl.constexpr, BLOCK_C: tl.constexpr):
    """y (C, N) = x.T, x (N, C): a tile is read along its rows and written along its columns"""
    rows = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    cols = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    inside = (rows < N)[:, None] & (cols < C)[None, :]
    x = tl.load(x_ptr + rows.to(tl.int64)[:, None] * C + cols[None, :], mask=inside)
    y_places = cols.to(tl.int64)[:, None] * N + rows[None, :]
    tl.store(y_ptr + y_places, tl.trans(x), mask=tl.trans(inside))


def turned(x, N, C):
    """The numbers of x (N, C) in the order of its columns: (C, N)"""
    y = empty((C, N))
    turn_kernel[(cdiv(N, 64), cdiv(C, 64))](
        x_ptr=x, y_ptr=y, N=N, C=C, BLOCK_N=64, BLOCK_C=64, num_warps=8
    )
    return y


def laid(b, strides, C, K):
    """b (C, K) and its strides, 1 along the axis that it should be: a copy where it is not."""
    if strides[ALONG[launch.precision()]] == 1:
        return b, strides
    return (turned(b, C, K), (1, C)) if strides[1] == 1 else (turned(b, K, C), (K, 1))


def matmul(a, b, y, sizes, a_strides, b_strides, tiles, bias=None, C_EACH=None):
    """y = a @ b + bias, into y; sizes (N, C, K)

    Each pair of strides says how many numbers further the next row begins, and the next column.
    C_EACH: y has a part for each so many of the C terms of its sums, (parts, N, K).
    """
    N, C, K = sizes
    C_EACH = C_EACH or C
    b, b_strides = laid(b, b_strides, C, K)
    matmul_kernel[(count(N, K, tiles), cdiv(C, C_EACH))](
        a_ptr=a, b_ptr=b, bias_ptr=bias, y_ptr=y,
        a_row_stride=a_strides[0], a_col_stride=a_strides[1],
        b_row_stride=b_strides[0], b_col_stride=b_strides[1], N=N, C=C, K=K, C_EACH=C_EACH,
        HAS_BIAS=bias is not None, PRECISION=launch.precision(), GROUP=GROUP, **tiles,
    )  # fmt: skip


def count(N, K, tiles):
    return cdiv(N, tiles["BLOCK_N"]) * cdiv(K, tiles["BLOCK_K"])


def linear_forward(x, weight, bias=None):
    return linear_y(x, weight, bias, chosen("y"))


def linear_y(x, weight, bias, tiles):
    K, C = weight.shape
    N = x.size // C
    y = empty((*x.shape[:-1], K))
    # b is weight.T: its next row is the next number of weight, its next column the next row.
    matmul(x, weight, y, (N, C, K), (C, 1), (1, C), tiles, bias)
    return y


def linear_backward(dy, x, weight, biased=True):
    """dx, dweight and, if biased, dbias"""
    dx = linear_dx(dy, weight, chosen("dx"))
    dweight = linear_dweight(dy, x, chosen("dweight"))
    return (dx, dweight, column_sums(dy)) if biased else (dx, dweight)


def linear_dx(dy, weight, tiles):
    K, C = weight.shape
    dx = empty((*dy.shape[:-1], C))
    matmul(dy, weight, dx, (dy.size // K, K, C), (K, 1), (C, 1), tiles)
    return dx


def linear_dweight(dy, x, tiles):
    """dweight = dy.T @ x: long sums of few tiles. Parts of each sum are added up afterwards."""
    K, C = dy.shape[-1], x.shape[-1]
    N = x.size // C
    parts = max(1, min(8, ENOUGH // count(K, C, tiles)))
    each = cdiv(cdiv(N, parts), tiles["BLOCK_C"]) * tiles["BLOCK_C"]
    parts = cdiv(N, each)
    partial = empty((parts, K, C))
    # a is dy.T
    matmul(dy, x, partial, (K, N, C), (1, K), (C, 1), tiles, C_EACH=each)
    if parts == 1:
        return partial.reshape(K, C)
    dweight = empty((K, C))
    # The second axis of a grid ends at 65,535: ENOUGH tiles in blocks of 512 are far from it.
    column_sums_kernel[(1, cdiv(K * C, 512))](
        dy_ptr=partial, out_ptr=dweight, N=parts, C=K * C,
        ROWS_EACH=parts, BLOCK_N=2, BLOCK_C=512,
    )  # fmt: skip
    return dweight


def layers(s):
    """(name, inputs, outputs) of the layers of a block."""
    C = s.C
    return ("qkv", C, 3 * C), ("proj", C, C), ("up", C, 4 * C), ("down", 4 * C, C)


def costs(s):
    """What one call of a launcher must at least move and compute: (bytes, FLOPs, of products)."""
    found = {}
    for name, C, K in layers(s):
        x, y, weight = s.N * C, s.N * K, C * K
        found[f"linear_forward {name}"] = 4 * (x + y + weight + K), y, 2 * x * K
        found[f"linear_backward {name}"] = 4 * (2 * x + y + 2 * weight + K), y, 4 * x * K
    return found
