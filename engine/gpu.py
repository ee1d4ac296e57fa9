"""The functions of engine/cpu.py for the arrays of a device: by kernels, where there is one.

What has no kernel yet falls back: its arrays are copied to the computer's own memory, the function
of engine/cpu.py computes there, and what it returns is copied to the device.
"""

from functools import partial, reduce

import numpy as np

from engine import cpu
from engine.backend import fallbacks
from kernels import attention
from kernels.adamw import adamw_step, fill, norm, square_sum
from kernels.attention import attention_backward
from kernels.device import DeviceArray, empty, put, zeros
from kernels.elementwise import add, add_to, gelu_backward, gelu_forward, scale
from kernels.loss import cross_entropy_backward, cross_entropy_forward
from kernels.matmul import linear_backward, linear_forward
from kernels.noise import dropout_backward, dropout_forward
from kernels.rows import layernorm_forward, softmax_backward, softmax_forward
from kernels.scatter import embedding_backward, embedding_forward, layernorm_backward, unbroadcast

__all__ = [
    "adamw_step",
    "add",
    "add_to",
    "attention_backward",
    "attention_forward",
    "copy",
    "cross_entropy_backward",
    "cross_entropy_forward",
    "dropout_backward",
    "dropout_forward",
    "embedding_backward",
    "embedding_forward",
    "fill",
    "gelu_backward",
    "gelu_forward",
    "layernorm_backward",
    "layernorm_forward",
    "linear_backward",
    "linear_forward",
    "norm",
    "scale",
    "softmax_backward",
    "softmax_forward",
    "square_sum",
    "total",
    "unbroadcast",
    "zeros",
]


def copy(x):
    y = empty(x.shape, x.dtype)
    y[...] = x
    return y


def attention_forward(qkv, H, kv=None):
    """A model that writes asks a few places beside its cache: that is left to numpy."""
    if kv is not None:
        return fall_back("attention_forward", cpu.attention_forward, qkv, H, kv)
    return attention.attention_forward(qkv, H)


def total(*numbers):
    """Their sum, an array of shape ()"""
    return reduce(add, numbers)


def __getattr__(name):
    """What this module does not define, Python asks of this function (PEP 562)."""
    return partial(fall_back, name, getattr(cpu, name))


def fall_back(name, function, *arguments):
    fallbacks[name] += 1
    here = {}  # by the id of an array on the computer: that and the one on the device
    return there(function(*fetch(arguments, here)), here)


def fetch(x, here):
    """Arguments as engine/cpu.py takes them: arrays of the device as copies, in tuples too."""
    if isinstance(x, tuple):
        return tuple(fetch(each, here) for each in x)
    if not isinstance(x, DeviceArray):
        return x
    y = x.numpy()
    here[id(y)] = y, x
    return y


def there(y, here):
    """Results as they are given back: arrays on the device, in tuples too.

    An argument that is returned has been changed in place, and is so on the device too.
    """
    if isinstance(y, tuple):
        return tuple(there(each, here) for each in y)
    if not isinstance(y, (np.ndarray, np.generic)):
        return y
    if id(y) in here:
        x = here[id(y)][1]
        x[...] = y
    else:
        x = put(np.asarray(y))
        here[id(y)] = y, x
    return x
