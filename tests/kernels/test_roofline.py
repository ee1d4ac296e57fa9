"""Floors by hand, data sheets, and costs against what the simulator moves and computes."""

import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from kernels import device, elementwise, roofline
from kernels.block import Block
from kernels.roofline import CONFIGS, GPUS, sizes
from kernels.simulate import tl
from kernels.speed import floor, here
from tests.kernels.arrays import random

T4, A100, H100, H200 = GPUS


def test_speeds_are_those_of_the_data_sheets():
    assert [round(gpu.flops / 1e12, 1) for gpu in GPUS] == [8.1, 19.5, 66.9, 66.9]
    assert H100.ladder["registers"][0] == 33_792 * 1024


@pytest.mark.parametrize("gpu", GPUS, ids=[gpu.name for gpu in GPUS])
def test_what_is_farther_is_slower_and_mostly_larger(gpu):
    sizes, speeds = zip(*gpu.ladder.values())
    assert sizes[3] > 1000 * sizes[2]
    assert speeds[0] > 4 * speeds[1] > 16 * speeds[3]


def test_the_floor_by_hand():
    numbers = 3072 * 8192
    seconds, spent_on = floor((8 * numbers, 10 * numbers), H100)
    assert (round(seconds * 1e6, 1), spent_on) == (60.1, "memory")
    # A hundred FLOPs a byte take longer than the byte, on each of the four.
    for gpu in GPUS:
        assert floor((1, 100), gpu) == (100 / gpu.flops, "arithmetic")


def test_products_run_on_tensor_cores_where_there_are_some():
    # A product of 3 GFLOP, for which tensor cores multiply three times, and a GFLOP besides.
    cost = 1000, 1e9, 3e9
    for gpu, speed in ((T4, T4.flops), (A100, 52e12), (H100, 164.9e12)):
        assert floor(cost, gpu)[0] == pytest.approx(1e9 / gpu.flops + 3e9 / speed)


def test_a_line_for_each_launcher_and_a_mark_for_arithmetic(monkeypatch):
    s = sizes(CONFIGS["gpt2"], B=8)
    head, *lines, ridge = roofline.floors(s, GPUS)
    assert head.split()[-4:] == ["T4", "A100", "H100", "H200"]
    assert [line[:22].strip() for line in lines] == list(roofline.costs(s))
    assert lines[list(roofline.costs(s)).index("gelu_forward")].split()[-2:] == ["60.1", "41.9"]
    monkeypatch.setattr(roofline, "costs", lambda s: {"dense": (1_000_000, 15_000_000)})
    (line,) = list(roofline.floors(s, GPUS))[1:-1]
    assert line.split() == ["dense", "1.0", "15.0", "15.00", "3.1", "0.8*", "0.3", "0.2*"]
    assert ridge.split()[2:] == ["25.44", "9.56", "19.97", "13.94"]


def test_the_gpu_of_this_computer_has_a_column(monkeypatch, capsys):
    monkeypatch.setattr(device, "best", lambda: ("cuda", None))
    gpu = SimpleNamespace(name="here", bandwidth=1e9, flops=1e12, tf32=0.0)
    monkeypatch.setattr(roofline, "here", lambda: gpu)
    roofline.main()
    memories, floors = capsys.readouterr().out.split("\n\n")
    assert len(memories.splitlines()) == 1 + len(GPUS)
    _, head, *lines, ridge = floors.splitlines()
    assert head.split()[-1] == "here" and ridge.split()[-1] == "1000.00"
    assert len(lines) == len(roofline.costs(sizes(CONFIGS["gpt2"], B=8)))
    # add: 12 bytes for each of 8,192 * 768 numbers.
    assert lines[0].split()[-1] == "75,497.5"


class Array:
    """As much of an array of torch's on a GPU as here() asks for."""

    def __init__(self, shape, done):
        self.shape, self.nbytes, self.done = shape, 4 * math.prod(shape), done

    def __len__(self):
        return self.shape[0]

    def __iter__(self):
        return (Array(self.shape[1:], self.done) for _ in range(len(self)))

    def copy_(self, x):
        self.done.append("copy")


class Event:
    """Of torch.cuda; between any two lie 2 milliseconds."""

    def __init__(self, enable_timing):
        self.record = self.synchronize = lambda: None

    def elapsed_time(self, end):
        return 2.0


def test_a_copy_and_a_product_measure_a_gpu(monkeypatch):
    done = []
    torch = SimpleNamespace(cuda=SimpleNamespace(Event=Event))
    torch.set_float32_matmul_precision = lambda precision: done.append(precision)
    torch.empty = torch.rand = lambda shape, device: Array(shape, done)
    torch.mm = lambda a, b, out: done.append("product")
    monkeypatch.setitem(sys.modules, "torch", torch)
    gpu = here()
    assert done == ["copy"] * 10 + ["high"] + ["product"] * 10 + ["highest"] + ["product"] * 10
    # 2 ** 27 numbers of 4 bytes are read and written.
    assert (gpu.bandwidth, gpu.flops) == (2 * 2**29 / 0.002, 2 * 4096**3 / 0.002)


class Count:
    """Bytes that loads and stores move, and FLOPs of blocks of float32, while kernels run."""

    def __init__(self, monkeypatch):
        self.bytes = self.flops = 0
        for operator in ("add", "sub", "mul", "truediv"):
            for name in (f"__{operator}__", f"__r{operator}__"):
                monkeypatch.setattr(Block, name, self.computing(getattr(Block, name)))
        monkeypatch.setattr(tl, "exp", self.computing(tl.exp))
        monkeypatch.setattr(tl, "load", self.moving(tl.load))
        monkeypatch.setattr(tl, "store", self.moving(tl.store))

    def computing(self, compute):
        def counted(*blocks):
            block = compute(*blocks)
            if isinstance(block, Block) and block.data.dtype == np.float32:
                self.flops += block.data.size if block.data.ndim > 1 else 0
            return block

        return counted

    def moving(self, move):
        def counted(pointer, *rest, mask):
            self.bytes += 4 * int(np.broadcast_to(mask.data, pointer.places.data.shape).sum())
            return move(pointer, *rest, mask=mask)

        return counted


@pytest.mark.skipif(device.chosen != "simulate", reason="the simulator counts")
def test_costs_are_what_the_simulator_counts(monkeypatch):
    s = sizes(CONFIGS["tiny"], B=2)
    road, wide = (s.N, s.C), (s.N, 4 * s.C)
    calls = {
        "add": lambda: elementwise.add(random(*road), random(*road)),
        "add_to": lambda: elementwise.add_to(random(*road), random(*road)),
        "scale": lambda: elementwise.scale(random(*road), 0.5),
        "gelu_forward": lambda: elementwise.gelu_forward(random(*wide)),
        "gelu_backward": lambda: elementwise.gelu_backward(random(*wide), random(*wide), ()),
    }
    assert elementwise.costs(s).keys() == calls.keys()
    for name, call in calls.items():
        with monkeypatch.context() as patches:
            count = Count(patches)
            call()
        assert (count.bytes, count.flops) == elementwise.costs(s)[name], name
