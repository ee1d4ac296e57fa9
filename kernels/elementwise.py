"""Each number for itself: a program owns a block of BLOCK numbers.

add    out = x + y            12 bytes a number (float32: two read, one written)
scale  out = x * factor        8 bytes
x and out of one shape; y of the same, or without its first axes: then y is added to each part of x.
"""

from kernels.device import DeviceArray, empty
from kernels.language import cdiv, jit, tl

BLOCK = 1024


@jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    """x, out (parts, n), y (n)"""
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    place = tl.program_id(1).to(tl.int64) * n + i
    x = tl.load(x_ptr + place, mask=inside)
    y = tl.load(y_ptr + i, mask=inside)
    tl.store(out_ptr + place, x + y, mask=inside)


@jit
def scale_kernel(x_ptr, out_ptr, n, factor, BLOCK: tl.constexpr):
    """x, out (n)"""
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    x = tl.load(x_ptr + i, mask=inside)
    tl.store(out_ptr + i, x * factor, mask=inside)


def launch_add(x, y, out):
    if not isinstance(y, DeviceArray):
        raise ValueError("add: got an array of this computer; expected one of the device")
    if y.shape != x.shape[x.ndim - y.ndim :]:
        raise ValueError(f"add: got {x.shape} and {y.shape}; expected the last axes of the first")
    n = y.size
    grid = (cdiv(n, BLOCK), x.size // n)
    add_kernel[grid](x_ptr=x, y_ptr=y, out_ptr=out, n=n, BLOCK=BLOCK)
    return out


def add(a, b):
    """a + b"""
    return launch_add(a, b, empty(a.shape))


def add_to(total, x):
    """total += x, in place. Returns total."""
    return launch_add(total, x, total)


def scale(x, factor):
    """x *= factor, in place. Returns x."""
    grid = (cdiv(x.size, BLOCK),)
    scale_kernel[grid](x_ptr=x, out_ptr=x, n=x.size, factor=float(factor), BLOCK=BLOCK)
    return x
