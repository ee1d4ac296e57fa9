"""Arrays in the memory of a device: a GPU's, or one that is played by this computer's own.

simulate   numpy arrays; kernels run in kernels/simulate.py
interpret  torch's arrays in this computer's memory; kernels run in Triton's interpreter
cuda       torch's arrays in the memory of an NVIDIA GPU; kernels run there
meta       torch's arrays that have a shape and no numbers; kernels are compiled and do not run

torch allocates, copies and gives views, and computes nothing. It and Triton are imported when they
are first needed: the simulator needs neither.
"""

import importlib.util
import math
import os
import shutil
import sys

import numpy as np

DEVICES = ("simulate", "interpret", "cuda", "meta")
# What torch calls the place of the arrays.
PLACES = {"interpret": "cpu", "cuda": "cuda", "meta": "meta"}
# Arrays of fewer bytes, such as a batch, are sent to a GPU without waiting.
PINNED = 2**24
# Where arrays are made and kernels run; use() changes it.
chosen = "simulate"


class DeviceArray:
    """Numbers in a device's memory, one after another without gaps; it computes nothing.

    memory: a numpy array where the device is simulated, else one of torch's. A view shares it.
    x[...] = y copies into it; x.numpy() copies out of it.
    """

    # numpy's operators then leave array + x to us, who have no such thing.
    __array_ufunc__ = None
    __iter__ = None

    def __init__(self, memory):
        self.memory, self.shape = memory, tuple(memory.shape)
        self.dtype = np.dtype(str(memory.dtype).removeprefix("torch."))

    def __repr__(self):
        return f"DeviceArray(shape={self.shape}, dtype={self.dtype})"

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        return math.prod(self.shape)

    @property
    def nbytes(self):
        return self.size * self.dtype.itemsize

    def __len__(self):
        return self.shape[0]

    def __array__(self, *dtype, **copy):
        raise ValueError("DeviceArray: got a function of numpy; expected x.numpy(), a copy for it")

    def reshape(self, *shape):
        """The same numbers under another shape: a view."""
        return DeviceArray(self.memory.reshape(*shape))

    def __getitem__(self, key):
        """x[start:stop]: a view of so many of the first axis."""
        if not isinstance(key, slice) or key.step not in (None, 1):
            raise ValueError(f"DeviceArray: got the index {key!r}; expected x[start:stop]")
        return DeviceArray(self.memory[key])

    def __setitem__(self, key, y):
        """x[...] = y copies y, an array of x's shape of this computer or of the device."""
        if key is not ...:
            raise ValueError(f"DeviceArray: got the index {key!r}; expected x[...] = y")
        if np.shape(getattr(y, "memory", y)) != self.shape:
            got = f"an array of shape {np.shape(getattr(y, 'memory', y))}"
            raise ValueError(f"DeviceArray: got {got}; expected {self.shape}")
        y = y if isinstance(y, DeviceArray) else to_device(np.asarray(y, self.dtype))
        self.memory[...] = y.memory

    def item(self):
        """The number of an array that holds one; the computer waits for the device."""
        return self.memory.item()

    def numpy(self):
        """A copy in the memory of this computer, which waits for the device."""
        return np.array(self.memory if chosen == "simulate" else self.memory.cpu().numpy())


def use(name):
    """From now on arrays are made on this device, and kernels run there.

    Raises ValueError where there is no such device here.
    """
    global chosen
    if name not in DEVICES:
        raise ValueError(f"device: got {name}; expected one of {', '.join(DEVICES)}")
    if name != "simulate":
        import_triton(interpret=name == "interpret")
    if name == "cuda":
        check_gpu()
    chosen = name


def import_triton(interpret):
    """Imports torch and Triton, which decides then whether it interprets, for the whole process."""
    before = sys.modules.get("triton")
    if before is None:
        os.environ["TRITON_INTERPRET"] = str(int(interpret))
        # a * b + c may be rounded once: Triton warns where nobody says whether.
        os.environ.setdefault("TRITON_DEFAULT_FP_FUSION", "1")
    try:
        import torch  # noqa: F401
        import triton.runtime.interpreter
    except ImportError as error:
        got = f"no package {error.name}"
        raise ValueError(f"device: got {got}; expected it: make train WITH=triton") from None
    interpreted = isinstance(triton.language.sum, triton.runtime.interpreter.InterpretedFunction)
    if before is not None and interpreted != interpret:
        got = f"a triton imported with TRITON_INTERPRET={int(interpreted)}"
        raise ValueError(f"device: got {got}; expected {int(interpret)}: another process")


def check_gpu():
    """Raises ValueError in one line where torch finds no GPU that Triton can use."""
    import torch

    expected = "expected an NVIDIA GPU and a driver that fits"
    if torch.version.cuda is None:
        raise ValueError("device: got a torch for the CPU only; expected make train WITH=triton")
    try:
        torch.cuda.init()
        name, version = torch.cuda.get_device_name(), torch.cuda.get_device_capability()
    except (RuntimeError, AssertionError) as error:
        said = str(error).split("\n")[0].split(". ")[0]
        raise ValueError(f"device: got {said!r}; {expected}") from None
    if version < (7, 5):
        got = f"{name} of compute capability {version[0]}.{version[1]}"
        raise ValueError(f"device: got {got}; expected 7.5 or more (from 2018 on)")


def best():
    """The device of whoever names none: cuda where it can be used, else simulate; and where there
    is a GPU that cannot be used one line that says why, else None.
    """
    if shutil.which("nvidia-smi") is None:
        return "simulate", None
    if importlib.util.find_spec("triton") is None:
        return "simulate", "a GPU is here, but not Triton: make train WITH=triton adds it"
    try:
        use("cuda")
    except ValueError as error:
        return "simulate", str(error)
    return "cuda", None


def to_device(x):
    """A numpy array as it is where the device is simulated, else copied to where the device is."""
    if chosen == "simulate":
        return DeviceArray(x)
    import torch

    x = torch.from_numpy(x)
    if chosen != "cuda":
        return allocate(lambda: x.to(PLACES[chosen], copy=True))
    # A GPU fetches pinned memory by itself, when its turn comes; for other memory we wait. torch
    # keeps a pinned copy until it has been fetched.
    pinned = x.nbytes < PINNED
    x = x.pin_memory() if pinned else x
    return allocate(lambda: x.to("cuda", non_blocking=pinned))


def allocate(make):
    """What make() of torch's returns. A GPU's full memory ends as this computer's would."""
    import torch

    try:
        return DeviceArray(make())
    except torch.OutOfMemoryError:
        raise MemoryError from None


def put(x):
    """A copy of a numpy array on the device."""
    if x.dtype not in (np.float32, np.int32, np.int64):
        raise ValueError(f"put: got an array of {x.dtype}; expected float32, int32 or int64")
    return to_device(np.array(x, order="C"))


def empty(shape, dtype=np.float32):
    """An array that nobody has written to: on a GPU any numbers, elsewhere NaN or the lowest."""
    if chosen in ("cuda", "meta"):
        import torch

        kind = getattr(torch, np.dtype(dtype).name)
        return allocate(lambda: torch.empty(shape, dtype=kind, device=chosen))
    return to_device(np.full(shape, unwritten(dtype), dtype))


def unwritten(dtype):
    """What stands for numbers that could be anything."""
    return np.nan if np.dtype(dtype).kind == "f" else np.iinfo(dtype).min


def zeros(shape, dtype=np.float32):
    """An array of zeros."""
    return put(np.zeros(shape, dtype))
