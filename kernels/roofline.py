"""The least time that a kernel can take: python -m kernels.roofline

Its bytes must come out of the GPU's memory and go back there; its FLOPs must be computed. Both go
on at once, so the longer of the two times is the kernel's floor. Prints the memories of four GPUs,
then each kernel's floor on them in microseconds, for 8 windows of GPT-2. Where this computer has a
GPU, "here" is that one, its two speeds measured.
"""

from types import SimpleNamespace
from typing import NamedTuple

from kernels import adamw, attention, device, elementwise, loss, matmul, noise, rows, scatter
from kernels.speed import floor, here
from model.gpt import CONFIGS
from model.services.progress import run_program

# The files of kernels, each with its costs.
FILES = (elementwise, noise, rows, scatter, matmul, loss, attention, adamw)
KB, MB, GB = 2**10, 2**20, 10**9


class GPU(NamedTuple):
    """From NVIDIA's data sheets and its papers on the architectures, at the highest clock.

    Of each multiprocessor: lanes, each of which multiplies and adds float32 once a clock; bytes of
    shared memory, and how many a clock come from there. bandwidth: bytes a second of the memory.
    tf32: FLOPs a second of the tensor cores, 0 where they take no float32.
    """

    name: str
    multiprocessors: int
    clock: float
    lanes: int
    shared: int
    shared_width: int
    l2: int
    memory: int
    bandwidth: float
    tf32: float

    @property
    def flops(self):
        """Multiplications and additions a second."""
        return 2 * self.multiprocessors * self.lanes * self.clock

    @property
    def ladder(self):
        """The memories, nearest first: bytes, and bytes a second or None where nobody states it."""
        clocks = self.multiprocessors * self.clock
        return {
            # To multiply and add, a lane reads three numbers of 4 bytes and writes one.
            "registers": (self.multiprocessors * 256 * KB, clocks * self.lanes * 16),
            "shared memory": (self.multiprocessors * self.shared, clocks * self.shared_width),
            "L2": (self.l2, None),
            "memory": (self.memory, self.bandwidth),
        }


GPUS = (
    GPU("T4", 40, 1.59e9, 64, 64 * KB, 64, 4 * MB, 16 * GB, 320e9, 0.0),
    GPU("A100", 108, 1.41e9, 64, 164 * KB, 128, 40 * MB, 80 * GB, 2039e9, 156e12),
    GPU("H100", 132, 1.98e9, 128, 228 * KB, 128, 50 * MB, 80 * GB, 3350e9, 494.7e12),
    GPU("H200", 132, 1.98e9, 128, 228 * KB, 128, 50 * MB, 141 * GB, 4800e9, 494.7e12),
)


def sizes(config, B):
    """The legend's letters for a batch of B windows."""
    return SimpleNamespace(**vars(config), B=B, N=B * config.T)


def costs(s):
    """{launcher: (bytes, FLOPs)}, or (bytes, FLOPs, FLOPs of products), in a model of sizes s."""
    return {name: cost for file in FILES for name, cost in file.costs(s).items()}


def memories():
    yield " " * 4 + "".join(f"{name:>20}" for name in GPUS[0].ladder)
    for gpu in GPUS:
        line = f"{gpu.name:4}"
        for size, speed in gpu.ladder.values():
            line += f"{size / GB:6.0f} GB" if size > GB else f"{size / MB:6.1f} MB"
            line += f"{speed / 1e12:6.1f} TB/s" if speed else f"{'-':>11}"
        yield line


def floors(s, gpus):
    names = "".join(f"{gpu.name:>10}" for gpu in gpus)
    yield f"{'':22}{'MB':>8}{'MFLOP':>9}{'FLOP/byte':>11}{names}"
    for name, cost in costs(s).items():
        flops = sum(cost[1:])
        line = f"{name:22}{cost[0] / 1e6:8,.1f}{flops / 1e6:9,.1f}{flops / cost[0]:11.2f}"
        for gpu in gpus:
            seconds, spent_on = floor(cost, gpu)
            line += f"{seconds * 1e6:10,.1f}" if spent_on == "memory" else f"{seconds * 1e6:9,.1f}*"
        yield line
    # Where a kernel has so many FLOPs a byte, both take the same time.
    ridges = "".join(f"{gpu.flops / gpu.bandwidth:10.2f}" for gpu in gpus)
    yield f"{'the ridge':39}{'':11}{ridges}"


def main():
    print(*memories(), "", "at least, in microseconds (*: of arithmetic):", sep="\n")
    gpus = GPUS + ((here(),) if device.best()[0] == "cuda" else ())
    print(*floors(sizes(CONFIGS["gpt2"], B=8), gpus), sep="\n")


if __name__ == "__main__":
    run_program(main)
