"""What Triton's compiler makes of the kernels, for GPUs that are not here: make kernels

The launchers run as ever, on arrays of the device meta, which have a shape and no numbers. A
stand-in for a GPU's driver says which GPU there is; each kernel that is launched is compiled for
it, with the sizes and blocks of this launch, and not run. Prints a line for each kernel and target:

registers  of a thread
spills     places where a number that found no register goes to memory; there should be none
shared     bytes of shared memory of a program; the target has so many for one, or more
wide       loads and stores of memory that move 16 bytes a thread, or more
narrow     those that move less; there should be none
tensor     instructions of tensor cores; there should be some where PRECISION asks for them
at once    programs that a multiprocessor can hold at one time
What is not as it should be is said at the end, and then the command fails.
"""

import argparse
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine import gpu
from kernels import device, matmul, tiles
from kernels.device import empty
from kernels.language import compilations
from kernels.roofline import KB, sizes
from model.gpt import CONFIGS
from model.services.progress import fail, run_program

MODELS = {"gpt2": CONFIGS["gpt2"], "stories": replace(CONFIGS["stories"], V=1280)}
# Where a kernel cannot do with none: (kernel, column of the table): how many it may have.
ALLOWED = {
    ("layernorm_forward_kernel", "narrow"): 2,  # mean and r
    ("layernorm_dx_kernel", "narrow"): 2,
    ("layernorm_sums_kernel", "narrow"): 6,  # besides, the 64 sums of a program
    ("column_sums_kernel", "narrow"): 1,  # as there
    ("embedding_forward_kernel", "narrow"): 1,  # the index
    ("embedding_pieces_kernel", "narrow"): 10,  # start, and order: a number for a row of dy
    ("embedding_rows_kernel", "narrow"): 2,  # first
    ("matmul_kernel", "narrow"): 8,  # the bias, two numbers a thread
    # GPT-2's V, 50,257, is odd: a row of logits begins anywhere.
    ("cross_entropy_kernel", "narrow"): 27,
    ("total_kernel", "narrow"): 1,  # the loss
    ("attention_forward_kernel", "narrow"): 1,  # lse, a number a place
    ("attention_dq_kernel", "narrow"): 5,  # lse and delta
    ("attention_dkv_kernel", "narrow"): 4,
    # On sm_90; measured there, tiles without spills are 7 % slower.
    ("attention_dq_kernel", "spills"): 35,
    ("attention_dkv_kernel", "spills"): 35,
    ("squares_kernel", "narrow"): 1,  # a sum a program
    ("root_kernel", "narrow"): 9,  # 1,024 numbers in all
    ("adamw_kernel", "narrow"): 1,  # the norm
}


def cases(s):
    """For each launcher a call in a model of sizes s, under the name that its costs have."""
    x, up, shares = empty((s.N, s.C)), empty((s.N, 4 * s.C)), empty((s.N, s.T))
    weight, row = empty((s.C,)), empty((s.N, 1))
    w = empty((s.V * s.C + s.L * 12 * s.C * s.C,))
    logits, qkv = empty((s.N, s.V)), empty((s.B, s.T, 3 * s.C))
    index, table = np.arange(s.N) % s.V, (s.V, s.C)
    return {
        "add": partial(gpu.add, x, x),
        "add_to": partial(gpu.add_to, x, x),
        "scale": partial(gpu.scale, x, 0.5),
        "gelu_forward": partial(gpu.gelu_forward, up),
        "gelu_backward": partial(gpu.gelu_backward, up, up, ()),
        "dropout_forward": partial(gpu.dropout_forward, x, 0.1, 1, 0),
        "dropout_backward": partial(gpu.dropout_backward, x, 0.1, 1, 0),
        "layernorm_forward": partial(gpu.layernorm_forward, x, weight, weight),
        "softmax_forward": partial(gpu.softmax_forward, shares),
        "softmax_backward": partial(gpu.softmax_backward, shares, shares, 1.0),
        "layernorm_backward": partial(gpu.layernorm_backward, x, x, weight, (row, row)),
        "embedding_forward": partial(gpu.embedding_forward, empty(table), index),
        "embedding_backward": partial(gpu.embedding_backward, x, index, table),
        "unbroadcast": partial(gpu.unbroadcast, x.reshape(s.B, s.T, s.C), (s.T, s.C)),
        "cross_entropy_forward": partial(gpu.cross_entropy_forward, logits, index, -1, s.N),
        "cross_entropy_backward": partial(gpu.cross_entropy_backward, 0.5, x, index, logits, -1),
        "square_sum": partial(gpu.square_sum, w),
        "norm": lambda: gpu.norm(gpu.square_sum(w)),
        "adamw_step": partial(
            gpu.adamw_step, w, w, w, w, 1, 1e-3, (0.9, 0.99), 1e-8, 0.1, empty(()), 1.0
        ),
        "fill": partial(gpu.fill, w, 0.0),
        "attention_forward": partial(gpu.attention_forward, qkv, s.H),
        "attention_backward": lambda: gpu.attention_backward(
            x.reshape(s.B, s.T, s.C), qkv, gpu.attention_forward(qkv, s.H)[1], s.H
        ),
    } | linear_cases(s)


def linear_cases(s):
    calls = {}
    for name, C, K in matmul.layers(s):
        x, dy, weight, bias = map(empty, ((s.N, C), (s.N, K), (K, C), (K,)))
        calls[f"linear_forward {name}"] = partial(gpu.linear_forward, x, weight, bias)
        calls[f"linear_backward {name}"] = partial(gpu.linear_backward, dy, x, weight)
    return calls


def choices(s):
    """A call that makes a product of each kind with every choice of tiles that the target has."""
    x, dy, weight, bias = map(empty, ((s.N, s.C), (s.N, 4 * s.C), (4 * s.C, s.C), (4 * s.C,)))

    def work():
        for named in map(tiles.named, tiles.choices()):
            matmul.linear_y(x, weight, bias, named)
            matmul.linear_dx(dy, weight, named)
            matmul.linear_dweight(dy, x, named)

    return {"linear, each choice": work}


class Target(NamedTuple):
    """A GPU to compile for: for Triton its backend, arch and threads of a warp.

    Of a multiprocessor: how many warps, programs and bytes of shared memory it holds at one time,
    and bytes that one program can have. tensor: the instructions of its tensor cores for float32.
    """

    backend: str
    arch: int | str
    threads: int
    warps: int
    programs: int
    shared: int
    shared_each: int
    tensor: str


TARGETS = {
    "sm_75": Target("cuda", 75, 32, 32, 16, 64 * KB, 64 * KB, ""),
    "sm_80": Target("cuda", 80, 32, 64, 32, 164 * KB, 163 * KB, "HMMA"),
    "sm_90": Target("cuda", 90, 32, 64, 32, 228 * KB, 227 * KB, "HG?MMA"),
    "sm_100": Target("cuda", 100, 32, 64, 32, 228 * KB, 227 * KB, r"UTC\w*MMA|HMMA"),
    "gfx942": Target("hip", "gfx942", 64, 32, 32, 64 * KB, 64 * KB, ""),
}
# In machine code: loads and stores of memory, and what the names of the wide ones contain.
MOVES = r"\b(?:LDG|STG|LDGSTS)\.\S+|\b(?:global|buffer)_(?:load|store)_\w+"
WIDE = r"\.(?:128|256)\b|x4\b"


class StandIn:
    """As much of a GPU's driver as Triton asks before it compiles."""

    def __init__(self, name):
        self.target, self.number = TARGETS[name], list(TARGETS).index(name)

    def get_current_target(self):
        from triton.backends.compiler import GPUTarget

        return GPUTarget(self.target.backend, self.target.arch, self.target.threads)

    def get_current_device(self):
        # Triton keeps what it has compiled under this number.
        return self.number

    def get_current_stream(self, device):
        return 0


class Compiled(NamedTuple):
    """A line of the table. call: the name of a case. precision: that of the kernel's products."""

    call: str
    kernel: str
    target: str
    precision: str
    warps: int
    registers: int
    spills: int
    shared: int
    wide: int
    narrow: int
    tensor: int

    @property
    def at_once(self):
        """Programs at one time on a multiprocessor: as many as all its stores have room for."""
        target = TARGETS[self.target]
        # Each of its 4 parts has 512 registers for each thread of a warp, given out in eights.
        warps = min(target.warps, 4 * (512 // (-(-self.registers // 8) * 8)))
        # Where a program cannot have all of the shared memory, the rest is taken besides.
        shared = self.shared + target.shared - target.shared_each
        rooms = (target.programs, warps // self.warps, target.shared // shared if shared else 99)
        return min(rooms)

    def faults(self, columns):
        """What is not as it should be. columns: those that should be 0."""
        for column in columns:
            found, most = getattr(self, column), ALLOWED.get((self.kernel, column), 0)
            if found > most:
                yield f"got {found} {column}; expected {most or 'none'}"
        most = TARGETS[self.target].shared_each
        if self.shared > most:
            yield f"got {self.shared:,} bytes of shared memory; expected at most {most:,}"
        elif not self.at_once:
            got = f"{self.warps} warps of {self.registers} registers"
            yield f"got {got}; expected room for them on a multiprocessor"
        if self.precision.startswith("tf32") and not self.tensor:
            yield f"got no instruction of tensor cores; expected some for {self.precision}"

    def __str__(self):
        text = f"{self.target:7}{self.call:24}{self.kernel:26}{self.registers:9}{self.spills:7}"
        text += f"{self.shared:8,}{self.wide:5}{self.narrow:7}{self.tensor:7}{self.at_once:8}"
        return text


HEAD = f"target {'call':24}{'kernel':26}registers spills  shared wide narrow tensor at once"


def machine_code(made):
    """What Triton made of a kernel, as text; the registers of a thread, and the spills."""
    if "amdgcn" in made.asm:
        text = made.asm["amdgcn"]
        counts = (re.search(rf"\.vgpr_{name}:\s+(\d+)", text) for name in ("count", "spill_count"))
        return text, *(int(count[1]) for count in counts)
    import triton

    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(made.asm["cubin"])
        file.flush()

        def tool(name, option):
            command = [Path(triton.__file__).parent / "backends/nvidia/bin" / name, option]
            return subprocess.check_output(
                [*command, file.name], stderr=subprocess.DEVNULL, text=True
            )

        text = tool("nvdisasm", "-c")
        registers = int(re.search(r"REG:(\d+)", tool("cuobjdump", "-res-usage"))[1])
    return text, registers, len(re.findall(r"\bSTL\b", text))


def use(name):
    """From now on there seems to be a GPU of this target; what launchers ask it, it answers."""
    device.use("meta")
    from triton.runtime.driver import driver

    driver.set_active(StandIn(name))


def compiled(calls, name):
    """{name of a call: call} for one target: a Compiled for each kernel, once for the same code."""
    seen, tensor = set(), TARGETS[name].tensor
    for call, work in calls.items():
        compilations.clear()
        work()
        for arguments, made in compilations:
            if made.hash not in seen:
                seen.add(made.hash)
                text, registers, spills = machine_code(made)
                moves = re.findall(MOVES, text)
                wide = sum(bool(re.search(WIDE, move)) for move in moves)
                yield Compiled(
                    call=call,
                    kernel=made.metadata.name,
                    target=name,
                    precision=arguments.get("PRECISION", "ieee"),
                    warps=made.metadata.num_warps,
                    registers=registers,
                    spills=spills,
                    shared=made.metadata.shared,
                    wide=wide,
                    narrow=len(moves) - wide,
                    tensor=len(re.findall(rf"\b(?:{tensor})", text)) if tensor else 0,
                )


def table(model, name):
    """All cases for one target, in a process that does nothing else."""
    use(name)
    s = sizes(MODELS[model], B=8)
    return list(compiled(cases(s) | choices(s), name))


def main():
    parser = argparse.ArgumentParser(prog="compiled", description=__doc__.split("\n")[0])
    parser.add_argument("--model", choices=MODELS, default="gpt2", help="default gpt2")
    options = parser.parse_args()
    try:
        device.use("meta")
    except ValueError as error:
        fail(str(error))
    # Rows of a smaller model are too short to be read by 16 bytes a thread.
    columns = ("spills", "narrow") if options.model == "gpt2" else ("spills",)
    faults, count = [], min(len(TARGETS), os.cpu_count())
    print(HEAD, flush=True)
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
        for lines in pool.map(table, repeat(options.model), TARGETS):
            print(*lines, sep="\n", flush=True)
            faults += [f"{x.target} {x.kernel}: {f}" for x in lines for f in x.faults(columns)]
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    run_program(main)
