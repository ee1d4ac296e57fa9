"""Where numbers live, and who computes with them.

A backend is a module of functions with the names, arguments and results of engine/cpu.py, for one
kind of array. Such an array offers shape, dtype, ndim, size, nbytes and len() as numpy's do;
reshape and x[i:j], which are views; x[...] = y, which copies from the same kind or from numpy's;
item(), and numpy(), a copy as numpy's array. Indices and labels come as numpy's arrays whatever the
backend.
"""

from collections import Counter
from functools import partial

import numpy as np

from engine import cpu


def to_gpu(name, x):
    """x on the device of this name. What its kernels need is imported only now."""
    from kernels import device

    device.use(name)
    from engine import gpu

    BACKENDS[device.DeviceArray] = gpu
    return device.put(x)


# By kind of array: its backend.
BACKENDS = {np.ndarray: cpu}
# By name of a device: what makes an array there of numpy's.
DEVICES = {
    "cpu": np.asarray,
    "simulate": partial(to_gpu, "simulate"),
    "interpret": partial(to_gpu, "interpret"),
    "cuda": partial(to_gpu, "cuda"),
}


# How often in this step each function had to leave the device, by its name (engine/gpu.py).
fallbacks = Counter()


def on(x):
    """The backend of an array. A plain number is numpy's, wherever the arrays lie."""
    return BACKENDS.get(type(x), cpu)


def number(x):
    """x, a plain number or an array of shape (), as a float. On a device this waits until all is
    done that it was given before.
    """
    return float(x) if on(x) is cpu else x.item()


def host(x):
    """x as numpy's array: itself, or a copy of what lies elsewhere."""
    return x if on(x) is cpu else x.numpy()
