"""Dropout, whose words each program computes for the numbers that it owns (engine/noise.py).

dropout_forward   y = x * keep      8 bytes a number (float32: one read, one written)
dropout_backward  dx = dy * keep    8 bytes, by the same kernel
keep = 0 where the word at that place is below p * 2 ** 32, else 1 / (1 - p): it is never in memory.
Word i is the (i % 4)th of counter offset + i // 4. A program owns 4 * BLOCK numbers.
"""

from kernels.device import empty
from kernels.language import cdiv, jit, tl

BLOCK = 256


@jit
def dropout_kernel(
    x_ptr,
    y_ptr,
    n,
    offset,
    threshold,
    scale,
    KEY_0: tl.constexpr,
    KEY_1: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """x, y (n)"""
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    c0, c1 = (offset + i).to(tl.uint32), ((offset + i) >> 32).to(tl.uint32)
    c2, c3 = tl.zeros((BLOCK,), tl.uint32), tl.zeros((BLOCK,), tl.uint32)
    # philox of engine/noise.py, line by line; unrolled, so that the keys are constants
    for turn in tl.static_range(10):
        a, b = c0.to(tl.uint64) * 0xD2511F53, c2.to(tl.uint64) * 0xCD9E8D57
        k0 = (KEY_0 + turn * 0x9E3779B9) & 0xFFFFFFFF
        k1 = (KEY_1 + turn * 0xBB67AE85) & 0xFFFFFFFF
        c0, c1 = (b >> 32).to(tl.uint32) ^ c1 ^ k0, b.to(tl.uint32)
        c2, c3 = (a >> 32).to(tl.uint32) ^ c3 ^ k1, a.to(tl.uint32)
    # The four words of a counter side by side, as their numbers are in memory: (BLOCK, 4)
    lane = tl.arange(0, 4)[None, :]
    word = tl.where(lane == 0, c0[:, None], c1[:, None])
    word = tl.where(lane == 2, c2[:, None], word)
    word = tl.where(lane == 3, c3[:, None], word)
    place = 4 * i[:, None] + lane
    inside = place < n
    x = tl.load(x_ptr + place, mask=inside)
    tl.store(y_ptr + place, tl.where(word >= threshold, x * scale, 0.0), mask=inside)


def dropout_forward(x, p, seed, offset):
    y = empty(x.shape)
    dropout_kernel[(cdiv(x.size, 4 * BLOCK),)](
        x_ptr=x,
        y_ptr=y,
        n=x.size,
        offset=offset,
        threshold=int(p * 2**32),
        scale=1 / (1 - p),
        KEY_0=seed % 2**32,
        KEY_1=seed >> 32,
        BLOCK=BLOCK,
    )
    return y


def dropout_backward(dy, p, seed, offset):
    return dropout_forward(dy, p, seed, offset)


def costs(s):
    """For each launcher what one call must at least move and compute: (bytes, FLOPs)."""
    n = s.N * s.C
    return {
        "dropout_forward": (8 * n, n),
        "dropout_backward": (8 * n, n),
    }
