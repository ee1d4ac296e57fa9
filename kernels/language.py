"""What kernels are written in: @jit above a function, and in it the words of tl, as in Triton.

kernel[grid](x_ptr=x, n=n, BLOCK=1024) launches it: by keyword, arrays of the device or numbers.
Only then is it decided, by device.use, whether the simulator runs it or Triton, which is imported
for that; the lines of the kernel are the same. num_warps and num_stages are for Triton alone.
"""

from collections import Counter
from functools import partial
from types import FunctionType

from kernels import device, simulate
from kernels.simulate import cdiv, next_power_of_2, tl

__all__ = ["cdiv", "compilations", "jit", "launches", "next_power_of_2", "tl"]

# How often each kernel has been launched, by its name. clear() sets it back.
launches = Counter()
# Of each launch on the device meta: its arguments, and what Triton's compiler made of the kernel.
compilations = []


class Kernel:
    """What jit makes of a function: kernel[grid](…) runs it once for each program of the grid."""

    def __init__(self, function):
        self.function, self.compiled = function, None

    def __getitem__(self, grid):
        return partial(self.launch, grid)

    def launch(self, grid, *, num_warps=4, num_stages=3, **arguments):
        launches[self.function.__name__] += 1
        if device.chosen == "simulate":
            simulate.launch(self.function, grid, arguments)
            return
        self.compiled = self.compiled or for_triton(self.function)
        arguments = {name: getattr(x, "memory", x) for name, x in arguments.items()}
        arguments |= {"num_warps": num_warps, "num_stages": num_stages}
        if device.chosen == "meta":
            compilations.append((arguments, self.compiled.warmup(grid=grid, **arguments)))
            return
        self.compiled[grid](**arguments)


def for_triton(function):
    """The same lines, in which tl is Triton's."""
    import triton

    words = {**function.__globals__, "tl": triton.language}
    copy = FunctionType(function.__code__, words, function.__name__)
    # From where it stands Triton reads its text; from the annotations, what is constexpr.
    copy.__module__, copy.__qualname__ = function.__module__, function.__qualname__
    copy.__annotations__ = function.__annotations__
    return triton.jit(copy)


jit = Kernel
