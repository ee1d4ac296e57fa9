"""Kernels with one fault each, compiled: python -m tests.kernels.planted prints what is found."""

from functools import partial

from kernels.compiled import compiled, use
from kernels.device import empty
from kernels.language import jit, tl


@jit
def well_kernel(x_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + i, tl.load(x_ptr + i, mask=i < n) + 1.0, mask=i < n)


@jit
def narrow_kernel(x_ptr, n, BLOCK: tl.constexpr):
    """Neighbours in a block are two places apart."""
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + 2 * i, mask=2 * i < n)
    tl.store(x_ptr + 2 * i, x + 1.0, mask=2 * i < n)


@jit
def spilling_kernel(x_ptr, n, BLOCK: tl.constexpr):
    """All numbers of a block are needed up to the end, and one warp holds them."""
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    tl.store(x_ptr + i, x / tl.sum(x, axis=0), mask=i < n)


@jit
def product_kernel(x_ptr, PRECISION: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    """x @ x.T, x (ROWS, BLOCK); it should say input_precision=PRECISION."""
    rows = tl.arange(0, ROWS)
    x = tl.load(x_ptr + rows[:, None] * BLOCK + tl.arange(0, BLOCK)[None, :])
    y = tl.dot(x, tl.trans(x), input_precision="ieee")
    tl.store(x_ptr + rows[:, None] * ROWS + rows[None, :], y)


@jit
def tensor_kernel(x_ptr, PRECISION: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    """x @ x.T, x (ROWS, BLOCK)"""
    rows = tl.arange(0, ROWS)
    x = tl.load(x_ptr + rows[:, None] * BLOCK + tl.arange(0, BLOCK)[None, :])
    y = tl.dot(x, tl.trans(x), input_precision=PRECISION)
    tl.store(x_ptr + rows[:, None] * ROWS + rows[None, :], y)


def main():
    use("sm_80")
    x, tf32 = empty((2**20,)), {"PRECISION": "tf32"}
    kinds = {
        "well": partial(well_kernel[(1024,)], x_ptr=x, n=2**20, BLOCK=1024),
        "narrow": partial(narrow_kernel[(512,)], x_ptr=x, n=2**20, BLOCK=1024),
        "spills": partial(spilling_kernel[(1,)], x_ptr=x, n=2**13, BLOCK=2**13, num_warps=1),
        "product": partial(product_kernel[(1,)], x_ptr=x, ROWS=32, BLOCK=32, **tf32),
        "shared": partial(tensor_kernel[(1,)], x_ptr=x, ROWS=64, BLOCK=512, num_warps=16, **tf32),
        "tensor": partial(tensor_kernel[(1,)], x_ptr=x, ROWS=64, BLOCK=64, **tf32),
    }
    for found in compiled(kinds, "sm_80"):
        print(f"{found.call}:", *found.faults(("spills", "narrow")))


if __name__ == "__main__":
    main()
