"""A GPU made of numpy: it runs the lines of a Triton kernel for all programs of a launch at once.

On a GPU many programs run one kernel, each with its own program_id. Here the programs are one more
axis in front of every block: arrays (P, *shape), or (1, *shape) where all P programs agree. So
tl.load is one indexing, tl.dot one batched product, and no loop goes over programs.

Where programs disagree how often a loop turns, or about an if, they are split into groups that
agree; each group starts again from the top, and what had been stored is undone.

What a mask leaves out of a tl.load without other= is NaN (of whole numbers, the lowest): on a GPU
it can be anything. kernels/guard.py watches reads and writes.

What it cannot show: a program that waits for another; that atomics come in another order each time
(here they repeat); time, registers, shared memory; what only Triton's compiler refuses, such as a
variable that changes its type from turn to turn; tf32 (a product here is float32).
"""

from types import FunctionType, SimpleNamespace

import numpy as np

from kernels.block import Block, Differ, elementwise, reduction, spread
from kernels.device import DeviceArray, unwritten
from kernels.guard import Guard

# So many programs at a time: the blocks of more do not fit into the processor's cache.
AT_ONCE = 256


class Pointer:
    """A place in the memory of an array, or a block of places, in each program."""

    def __init__(self, array, places):
        self.array, self.places = array, places

    def __add__(self, steps):
        return Pointer(self.array, self.places + steps)

    __radd__ = __add__

    def __sub__(self, steps):
        return self + -1 * steps


def load(pointer, mask=None, other=None, eviction_policy=""):
    array, places = pointer.array, pointer.places.data
    if mask is not None:
        mask = spread(mask.data, places.ndim)
        # A number left out is read from the first place of all, and not used.
        places = np.where(mask, places, 0)
    if Guard.on:
        programs = spread(Launch.now.programs, places.ndim)
        Launch.now.guard.read(array, places, True if mask is None else mask, programs)
    x = array.memory.take(places)
    if mask is None:
        return Block(x)
    return Block(np.where(mask, x, unwritten(x.dtype) if other is None else other))


def store(pointer, value, mask=None, eviction_policy="", add=False):
    launch, memory, places = Launch.now, pointer.array.memory, pointer.places.data
    value = value.data if isinstance(value, Block) else np.array([value])
    mask = np.ones(1, bool) if mask is None else mask.data
    # Every program writes, even where all write the same.
    shape = (len(launch.programs), *places.shape[1:])
    parts = (mask, places, value.astype(memory.dtype), launch.programs)
    mask, *parts = (np.broadcast_to(spread(x, places.ndim), shape) for x in parts)
    places, value, programs = (x[mask] for x in parts)
    if Guard.on:
        launch.guard.write(pointer.array, places, programs, add)
    launch.stored.append((memory, places, memory[places]))
    if add:
        np.add.at(memory, places, value)
        return
    memory[places] = value
    if Guard.on:
        launch.guard.written(pointer.array, places, value, programs)


def atomic_add(pointer, value, mask=None, sem="acq_rel"):
    store(pointer, value, mask, add=True)


def program_id(axis):
    ids = Launch.now.ids(Launch.now.programs)[axis].astype(np.int32)
    return Block(ids[:1] if (ids == ids[0]).all() else ids)


def num_programs(axis):
    return Launch.now.grid[axis]


def arange(start, end):
    if end - start < 1 or (end - start) & (end - start - 1):
        raise ValueError(f"tl.arange: got {end - start} numbers; expected a power of 2")
    return Block(np.arange(start, end, dtype=np.int32)[None])


def turns(*ends):
    """range(...), whose ends may differ by program; how often it turns may not, within a group."""
    start, end, step = (0, *ends, 1) if len(ends) == 1 else (*ends, 1)[:3]
    start = Block(np.zeros(1, np.int32)) + start
    for turn in range(tl.maximum(cdiv(end - start, step), 0)):
        yield start + turn * step


def dot(a, b, acc=0.0, input_precision="ieee"):
    """acc + a @ b        a (P, N, C), b (P, C, K), acc (P, N, K)"""
    sizes = (*a.data.shape[1:], *b.data.shape[2:])
    if min(sizes) < 16:
        raise ValueError(f"tl.dot: got the sizes {sizes}; expected at least 16 each")
    return acc + Block(a.data @ b.data)


def trans(x):
    return Block(x.data.swapaxes(-1, -2))


def full(shape, value, dtype):
    return Block(np.full((1, *shape), value, dtype))


def zeros(shape, dtype):
    return full(shape, 0, dtype)


def cdiv(a, b):
    return (a + b - 1) // b


def next_power_of_2(n):
    return 1 << (n - 1).bit_length()


# What a kernel calls tl. Triton knows constexpr by its name.
tl = SimpleNamespace(float32=np.float32, int32=np.int32, int64=np.int64)
tl.uint32, tl.uint64, tl.static_range = np.uint32, np.uint64, range
tl.constexpr = type("constexpr", (), {})
for f in (program_id, num_programs, arange, load, store, atomic_add, dot, trans, full, zeros):
    setattr(tl, f.__name__, f)
tl.exp, tl.log, tl.sqrt, tl.where = map(elementwise, (np.exp, np.log, np.sqrt, np.where))
tl.minimum, tl.maximum = map(elementwise, (np.minimum, np.maximum))
tl.range, tl.cdiv = turns, cdiv
tl.sum, tl.max = reduction(np.sum), reduction(np.max)


class Launch:
    """A kernel started on a grid. programs: the numbers, from 1, of those that run now; stored:
    what these have written over.
    """

    now = None

    def __init__(self, kernel, grid, arrays):
        self.grid, self.programs, self.stored = grid, None, []
        self.guard = Guard(kernel, self.ids, arrays)

    def ids(self, programs):
        """program_id of each axis, for the numbers of programs."""
        return np.unravel_index(programs - 1, self.grid)


def launch(function, grid, arguments):
    """Runs the function of a kernel once for each program of the grid."""
    name, grid, arrays = function.__name__, (*grid, 1, 1)[:3], {}
    if max(grid[1:]) > 65535:
        raise ValueError(f"{name}: got the grid {grid}; expected axes 1 and 2 up to 65535")
    for key, x in arguments.items():
        if function.__annotations__.get(key) is not tl.constexpr:
            arguments[key] = argument(f"{name}: got {key}", key, x, arrays)
    # The kernel's own lines; only their `range` is ours.
    run = FunctionType(function.__code__, {**function.__globals__, "range": turns})
    now = Launch.now = Launch(name, grid, arrays.values())
    programs = np.arange(1, 1 + np.prod(grid), dtype=np.int32)
    groups = [programs[i : i + AT_ONCE] for i in range(0, len(programs), AT_ONCE)]
    # Padding may overflow or divide 0 by 0; a GPU says nothing either.
    with np.errstate(all="ignore"):
        while groups:
            now.programs, now.stored = groups.pop(0), []
            try:
                run(**arguments)
            except Differ as differ:
                for memory, places, before in reversed(now.stored):
                    memory[places] = before
                values = differ.args[0]
                groups = [now.programs[values == v] for v in np.unique(values)] + groups
    if Guard.on:
        now.guard.end()


def argument(got, name, x, arrays):
    """What a kernel is given for x: a pointer, or a number of 32 bits where that is enough."""
    if x is None:
        return x
    if isinstance(x, float):
        return Block(np.array([x], np.float32))
    if isinstance(x, int):
        return Block(np.array([x], np.int32 if -(2**31) <= x < 2**31 else np.int64))
    if not isinstance(x, DeviceArray) or not isinstance(x.memory, np.ndarray):
        expected = "an array of the device that is used, or a number of Python's"
        raise ValueError(f"{got} of type {type(x).__name__}; expected {expected}")
    memory = x.memory.reshape(-1)
    # An array given twice is one.
    key = memory.__array_interface__["data"][0], memory.size
    array = arrays.setdefault(key, SimpleNamespace(name=name, memory=memory))
    return Pointer(array, Block(np.zeros(1, np.int64)))
