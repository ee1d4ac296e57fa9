"""Measures the kernels on this computer's GPU, beside PyTorch: python -m kernels.bench

A line for each operation of a training step at GPT-2's sizes: microseconds; GB/s of what it reads
and writes, in percent of a large copy's, or TFLOP/s, in percent of PyTorch's product of two large
matrices in float32; and how many times as long PyTorch takes, eager and compiled. They take turns.
Each has its inputs four times, so that no cache holds them, and gets into the queue while the GPU
is busy with another product, so that it waits for no launch.
"""

import argparse
import importlib.util
import json
import statistics
import time
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from engine import gpu
from kernels import device
from kernels.device import PLACES, DeviceArray
from model.services.progress import fail, run_program

SETS, ROUNDS = 4, 5
GPT2 = {"B": 8, "T": 1024, "C": 768, "H": 12, "V": 50_304, "weights": 124_475_904, "large": 8192}
# To try every line where there is no GPU: the times mean nothing then.
SMALL = {"B": 2, "T": 32, "C": 32, "H": 2, "V": 64, "weights": 4096, "large": 64}


class Case(NamedTuple):
    """inputs() returns what ours is called with, and what PyTorch's is, theirs.

    flops: of products; where there are none, bytes decide. moved: these bytes, where they are not
    all inputs and all results. compiled: whether PyTorch's is tried compiled too.
    """

    name: str
    inputs: object
    ours: object
    theirs: object
    flops: int = 0
    moved: int = 0
    compiled: bool = True


def drawn(*shapes):
    """(random arrays, PyTorch's tensors in the same memory)"""
    import torch

    theirs = [torch.randn(shape, device=PLACES.get(device.chosen, "cpu")) for shape in shapes]
    simulated = device.chosen == "simulate"
    return [DeviceArray(x.numpy() if simulated else x) for x in theirs], theirs


def both_ways(function):
    """What takes x, and computes function(x) and a gradient of x."""
    import torch

    def run(x):
        x = x.detach().requires_grad_()
        y = function(x)
        return torch.autograd.grad(y, x, y.detach())

    return run


def each_number(s):
    """What computes with each number for itself."""
    import torch
    import torch.nn.functional as F

    N, C = s.B * s.T, s.C
    gelu = partial(F.gelu, approximate="tanh")
    gelu_backward = partial(torch.ops.aten.gelu_backward, approximate="tanh")

    def gelu_inputs():
        (dy, x), theirs = drawn((N, 4 * C), (N, 4 * C))
        return (dy, x, gpu.gelu_forward(x)[1]), theirs

    def dropout(x):
        return gpu.dropout_forward(x, 0.1, 1, 0)

    def adamw(w, grad, m, v):
        return gpu.adamw_step(w, grad, m, v, 7, 1e-6, (0.9, 0.99), 1e-8, 0.1)

    def adamw_inputs():
        ours, (w, w.grad, m, v) = drawn(*[(s.weights,)] * 4)
        gpu.fill(ours[3], 1.0)
        optimizer = torch.optim.AdamW([w], 1e-6, (0.9, 0.99), weight_decay=0.1, fused=True)
        optimizer.state[w] = {"step": torch.tensor(7.0, device=w.device)}
        optimizer.state[w] |= {"exp_avg": m, "exp_avg_sq": v}
        return ours, [optimizer]

    yield Case("add", partial(drawn, (N, C), (N, C)), gpu.add, torch.add)
    yield Case("scale", partial(drawn, (N, C)), lambda x: gpu.scale(x, 1.0), lambda x: x.mul_(1.0))
    yield Case("dropout", partial(drawn, (N, C)), dropout, partial(F.dropout, p=0.1))
    yield Case("gelu forward", partial(drawn, (N, 4 * C)), gpu.gelu_forward, gelu)
    yield Case("gelu backward", gelu_inputs, gpu.gelu_backward, gelu_backward)
    flat, norm = partial(drawn, (s.weights,)), torch.linalg.vector_norm
    yield Case("square sum", flat, gpu.square_sum, norm, moved=4 * s.weights, compiled=False)
    step = torch.optim.AdamW.step
    yield Case("adamw step", adamw_inputs, adamw, step, compiled=False)


def rows_and_columns(s, index, at):
    """What computes with rows, or adds up over all of them."""
    import torch
    import torch.nn.functional as F

    N, C, V, aten = s.B * s.T, s.C, s.V, torch.ops.aten

    def layernorm(x, weight, bias):
        return F.layer_norm(x, (C,), weight, bias)

    def layernorm_inputs():
        (dy, x, weight), theirs = drawn((N, C), (N, C), (C,))
        _, mean, r = aten.native_layer_norm(theirs[1], [C], theirs[2], theirs[2], 1e-5)
        return (dy, x, weight, gpu.layernorm_forward(x, weight, weight)[1]), (*theirs, mean, r)

    def layernorm_backward(dy, x, weight, mean, r):
        return aten.native_layer_norm_backward(dy, x, [C], mean, r, weight, weight, [True] * 3)

    def embedding_backward(dy):
        return aten.embedding_dense_backward(dy, at, V, -1, False)

    def cross_entropy(logits):
        _, saved = gpu.cross_entropy_forward(logits, index, -1, N)
        return gpu.cross_entropy_backward(1.0, logits, index, saved, -1)

    yield Case(
        "layernorm forward", partial(drawn, (N, C), (C,), (C,)), gpu.layernorm_forward, layernorm
    )
    yield Case("layernorm backward", layernorm_inputs, gpu.layernorm_backward, layernorm_backward)
    for columns in (C, 4 * C):
        yield Case(
            f"column sums {columns}",
            partial(drawn, (N, columns)),
            lambda dy: gpu.unbroadcast(dy, dy.shape[1:]),
            lambda dy: dy.sum(0),
        )
    yield Case(
        "embedding forward",
        partial(drawn, (V, C)),
        lambda weight: gpu.embedding_forward(weight, index),
        lambda weight: F.embedding(at, weight),
        moved=8 * N * C,
    )
    yield Case(
        "embedding backward",
        partial(drawn, (N, C)),
        lambda dy: gpu.embedding_backward(dy, index, (V, C)),
        embedding_backward,
    )
    yield Case(
        "cross-entropy both ways",
        partial(drawn, (N, V)),
        cross_entropy,
        both_ways(lambda logits: F.cross_entropy(logits, at)),
        moved=8 * N * V,
        compiled=False,
    )


def products(s):
    """What multiplies matrices."""
    import torch.nn.functional as F

    N, C, H = s.B * s.T, s.C, s.H

    def backward(dy, x, weight):
        return dy @ weight, dy.T @ x, dy.sum(0)

    def attention(qkv):
        q, k, v = (part.view(s.B, s.T, H, -1).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)

    def attention_forward(qkv):
        return gpu.attention_forward(qkv, H)

    def attention_both_ways(qkv):
        y, saved = attention_forward(qkv)
        return gpu.attention_backward(y, qkv, saved, H)

    for size_in, size_out in ((C, 3 * C), (C, C), (C, 4 * C), (4 * C, C), (C, s.V)):
        name, flops = f"{size_in} {size_out}", 2 * N * size_in * size_out
        x, weight, dy = (N, size_in), (size_out, size_in), (N, size_out)
        inputs = partial(drawn, x, weight, (size_out,))
        yield Case(f"linear forward {name}", inputs, gpu.linear_forward, F.linear, flops, 0, False)
        inputs = partial(drawn, dy, x, weight)
        ours = gpu.linear_backward
        yield Case(f"linear backward {name}", inputs, ours, backward, 2 * flops, 0, False)
    # Half of the places are behind the mask. On the way back there are five products for two.
    flops, inputs = s.B * s.T**2 * C * 2, partial(drawn, (s.B, s.T, 3 * C))
    yield Case("attention forward", inputs, attention_forward, attention, flops, 0, False)
    ours, theirs = attention_both_ways, both_ways(attention)
    yield Case("attention both ways", inputs, ours, theirs, 7 * flops // 2, 0, False)


def cases(s):
    import torch

    torch.manual_seed(0)
    index = np.random.default_rng(0).integers(0, s.V, s.B * s.T)
    at = torch.from_numpy(index).to(drawn((1,))[1][0].device)
    yield from each_number(s)
    yield from rows_and_columns(s, index, at)
    yield from products(s)


def arrays(x):
    """The arrays of the device in arguments or results."""
    if isinstance(x, DeviceArray):
        return {id(x.memory): x}
    inside = x if isinstance(x, (tuple, list)) else ()
    return {key: array for each in inside for key, array in arrays(each).items()}


def count_bytes(case, inputs):
    """What a call reads and writes at least."""
    if case.moved:
        return case.moved
    both = (arrays(inputs), arrays(case.ours(*inputs)))
    return sum(array.nbytes for found in both for array in found.values())


def seconds(calls):
    """Of each of these calls, together the time of one turn."""
    if device.chosen != "cuda":
        start = time.perf_counter()
        for call in calls:
            call()
        return (time.perf_counter() - start) / len(calls)
    import torch

    a = torch.empty((8192, 8192), device="cuda")
    for products in (1, 2, 4, 8, 16):  # the last one counts, for calls that always wait for the GPU
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        for _ in range(products):
            torch.mm(a, a)
        start.record()
        for call in calls:
            call()
        late = start.query()  # the GPU was there before all calls were in its queue
        end.record()
        end.synchronize()
        if not late:
            break
    return start.elapsed_time(end) / 1000 / len(calls)


def compiled(function):
    """torch.compile of it; where there is no GPU, only what torch.compile reads of it."""
    import torch

    return torch.compile(
        function, dynamic=False, backend="inductor" if device.chosen == "cuda" else "eager"
    )


def race(contenders):
    """{name: seconds of a call}; contenders: {name: (function, its arguments, several times)}"""
    ready, times = {}, {}
    for name, (function, inputs) in contenders.items():
        calls = [partial(function, *each) for each in inputs]
        try:
            for call in calls:  # what is to be compiled is compiled now
                call()
        except Exception as error:
            if name != "compiled":
                raise
            print(f"  torch.compile does not run here: {error}".splitlines()[0])
        else:
            ready[name] = calls * 2
    for name in list(ready) * ROUNDS:
        times.setdefault(name, []).append(seconds(ready[name]))
    return {name: statistics.median(found) for name, found in times.items()}


def ceilings(s):
    """(bytes a second of a large copy, FLOPs a second of a large product of PyTorch's)"""
    import torch

    _, (a, b) = drawn((s.large, s.large), (s.large, s.large))
    copy = race({"copy": (b.copy_, [[a]])})["copy"]
    product = race({"product": (torch.mm, [[a, b]])})["product"]
    return 2 * a.nbytes / copy, 2 * s.large**3 / product


def measure(case, copy, product):
    """A row of the table."""
    sets = [case.inputs() for _ in range(SETS)]
    ours, theirs = zip(*sets)
    contenders = {"ours": (case.ours, ours), "eager": (case.theirs, theirs)}
    if case.compiled:
        contenders["compiled"] = (compiled(case.theirs), theirs)
    moved = count_bytes(case, ours[0])
    times = race(contenders)
    row = {"name": case.name, "microseconds": times["ours"] * 1e6}
    if case.flops:
        speed = case.flops / times["ours"]
        row |= {"TFLOP/s": speed / 1e12, "percent": 100 * speed / product}
    else:
        speed = moved / times["ours"]
        row |= {"GB/s": speed / 1e9, "percent": 100 * speed / copy}
    ratios = {name: took / times["ours"] for name, took in times.items() if name != "ours"}
    return row | ratios


def line(row):
    speed = f"{row['TFLOP/s']:7.1f} TFLOP/s" if "TFLOP/s" in row else f"{row['GB/s']:7.0f} GB/s   "
    text = f"{row['name']:28}{row['microseconds']:10.1f} us {speed} {row['percent']:4.0f} %"
    compiled = f"{row['compiled']:8.2f}" if "compiled" in row else f"{'-':>8}"
    return f"{text}   eager {row['eager']:6.2f}   compiled {compiled}"


def main():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", default="", help="operations with this word in their names")
    parser.add_argument("--json", help="a file for the table")
    parser.add_argument("--device", choices=device.DEVICES, default="cuda")
    options = parser.parse_args()
    if importlib.util.find_spec("torch") is None:
        fail("bench: got no PyTorch; expected an environment with it: make test WITH=triton")
    try:
        device.use(options.device)
    except ValueError as error:
        fail(f"bench: {error}")
    import torch

    s = SimpleNamespace(**GPT2 if options.device == "cuda" else SMALL)
    name = torch.cuda.get_device_name() if options.device == "cuda" else options.device
    copy, product = ceilings(s)
    about = {"device": name, "torch": torch.__version__, "date": time.strftime("%Y-%m-%d")}
    about |= {"copy GB/s": copy / 1e9, "product TFLOP/s": product / 1e12, **vars(s)}
    print(" · ".join(f"{key} {value}" for key, value in about.items()))
    rows = []
    for case in cases(s):
        if options.only in case.name:
            rows.append(measure(case, copy, product))
            print(line(rows[-1]), flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(about | {"rows": rows}, file, indent=1)


if __name__ == "__main__":
    run_program(main)
