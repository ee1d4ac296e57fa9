"""Arithmetic on the blocks of all programs at once: the programs are the axis in front."""

import operator

import numpy as np


class Differ(Exception):
    """Programs disagree about a number that decides which line comes next."""


class Block:
    """A block of numbers in each program: data (P, *shape) or (1, *shape)."""

    __hash__ = None

    def __init__(self, data):
        # In Triton nothing becomes float64.
        self.data = data.astype(np.float32) if data.dtype == np.float64 else data

    def __getitem__(self, key):
        return Block(self.data[(slice(None), *(key if isinstance(key, tuple) else (key,)))])

    def __neg__(self):
        return Block(-self.data)

    def __invert__(self):
        return Block(~self.data)

    def __index__(self):
        if self.data.ndim > 1:
            raise ValueError(f"if: got a block of {self.data.shape[1:]}; expected one number")
        if (self.data != self.data[0]).any():
            raise Differ(self.data)
        return int(self.data[0])

    def __bool__(self):
        return self.__index__() != 0

    def to(self, dtype):
        return Block(self.data.astype(dtype))


def spread(data, axes):
    """Gives (P, *shape) so many axes; those that miss go behind that of the programs."""
    return data.reshape(*data.shape[:1], *(1,) * (axes - data.ndim), *data.shape[1:])


def operands(*values):
    """The arrays of blocks, with equally many axes; plain numbers as they are.

    As in Triton, whole numbers become float32 beside a fraction.
    """
    values = [x.data if isinstance(x, Block) else x for x in values]
    fraction = any(getattr(x, "dtype", None) == np.float32 for x in values)
    axes = max(np.ndim(x) for x in values)
    for i, x in enumerate(values):
        if isinstance(x, np.ndarray):
            x = spread(x, axes)
            values[i] = x.astype(np.float32) if fraction and x.dtype.kind == "i" else x
    return values


def elementwise(compute):
    return lambda *blocks: Block(compute(*operands(*blocks)))


def reduction(compute):
    return lambda x, axis: Block(compute(x.data, axis=axis + 1).astype(x.data.dtype, copy=False))


def operation(compute, swap=False):
    """An operator of Block; beside a Pointer it leaves the work to that."""

    def apply(self, other):
        if not isinstance(other, (Block, int, float)):
            return NotImplemented
        a, b = operands(self, other)
        return Block(compute(b, a) if swap else compute(a, b))

    return apply


def quotient(a, b):
    """a // b, which Triton rounds towards 0, as C does; a % b is then np.fmod."""
    return (a - np.fmod(a, b)) // b


ARITHMETIC = {"floordiv": quotient, "mod": np.fmod}
for name in ("add", "sub", "mul", "truediv", "and_", "or_", "xor", "rshift"):
    ARITHMETIC[name.strip("_")] = getattr(operator, name)
for name, compute in ARITHMETIC.items():
    setattr(Block, f"__{name}__", operation(compute))
    setattr(Block, f"__r{name}__", operation(compute, swap=True))
for name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Block, f"__{name}__", operation(getattr(operator, name)))
