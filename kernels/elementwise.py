"""Each number for itself: a program owns a block of BLOCK numbers.

add    out = x + y            12 bytes a number (float32: two read, one written)
scale  out = x * factor        8 bytes
GELU   y = x * s               8 bytes
       dx = dy * (s + x * s * (1 - s) * 2 * du/dx)        12 bytes
x and out of one shape; y of the same, or without its first axes: then y is added to each part of x.
GELU as in engine/cpu.py, where (1 + tanh(u)) / 2 stands for s: they are equal, with
s = sigmoid(2 * u),  u = k * (x + 0.044715 * x ** 3),  k = sqrt(2 / pi) = 0.7978845608028654.
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


@jit
def gelu_forward_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    """x, y (n)"""
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    x = tl.load(x_ptr + i, mask=inside)
    u = 0.7978845608028654 * (x + 0.044715 * x * x * x)
    s = 1.0 / (1.0 + tl.exp(-2.0 * u))
    tl.store(y_ptr + i, x * s, mask=inside)


@jit
def gelu_backward_kernel(dy_ptr, x_ptr, dx_ptr, n, BLOCK: tl.constexpr):
    """dy, x, dx (n). s is computed once more: to keep it would cost 8 bytes a number."""
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    dy = tl.load(dy_ptr + i, mask=inside)
    x = tl.load(x_ptr + i, mask=inside)
    u = 0.7978845608028654 * (x + 0.044715 * x * x * x)
    s = 1.0 / (1.0 + tl.exp(-2.0 * u))
    du = 0.7978845608028654 * (1.0 + 3.0 * 0.044715 * x * x)
    tl.store(dx_ptr + i, dy * (s + x * s * (1.0 - s) * 2.0 * du), mask=inside)


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


def gelu_forward(x):
    """Returns y and saved, here nothing."""
    y = empty(x.shape)
    gelu_forward_kernel[(cdiv(x.size, BLOCK),)](x_ptr=x, y_ptr=y, n=x.size, BLOCK=BLOCK)
    return y, ()


def gelu_backward(dy, x, saved):
    dx = empty(x.shape)
    grid = (cdiv(x.size, BLOCK),)
    gelu_backward_kernel[grid](dy_ptr=dy, x_ptr=x, dx_ptr=dx, n=x.size, BLOCK=BLOCK)
    return dx


def costs(s):
    """What one call of a launcher must at least move and compute: (bytes, FLOPs)."""
    road, wide = s.N * s.C, s.N * 4 * s.C
    return {
        "add": (12 * road, road),
        "add_to": (12 * road, road),
        "scale": (8 * road, road),
        "gelu_forward": (8 * wide, 10 * wide),
        "gelu_backward": (12 * wide, 20 * wide),
    }
