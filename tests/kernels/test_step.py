"""A whole step on a device: by kernels alone, and nobody waits for it."""

import contextlib
import importlib.util
from collections import Counter

import numpy as np
import pytest

from engine import cpu
from engine.backend import fallbacks
from engine.cost import watched
from kernels import device
from kernels.device import DeviceArray
from kernels.language import launches
from model.options import NAMES_RUN
from model.run import begin
from model.train import train
from tests.kernels.arrays import near

SETTINGS = NAMES_RUN | {"data": "names", "names": None, "batch_size": 2, "steps": 2}
SETTINGS |= {"device": device.chosen, "dropout": 0.1, "micro_batches": 2}


def test_a_step_asks_no_twin():
    """Nothing is left that numpy computes on copies."""
    run, calls = begin(SETTINGS), Counter()

    def watch(name, function, *arguments):
        calls[name] += 1
        return function(*arguments)

    with watched(cpu, watch):
        run.enqueue()
    assert not calls and not fallbacks and run.fallbacks == 0
    assert run.launches == launches.total() > 10


@contextlib.contextmanager
def no_synchronising():
    """Inside, torch raises an error where the computer would wait for a GPU."""
    if device.chosen != "cuda":
        yield
        return
    import torch

    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_nobody_waits_for_a_step(monkeypatch):
    """Its loss and its norm stay where they are until they are read."""

    def refuse(x):
        raise AssertionError("a number of the device was asked for")

    begin(SETTINGS).step()  # whatever is to be compiled is compiled
    run = begin(SETTINGS)
    with monkeypatch.context() as patched, no_synchronising():
        patched.setattr(DeviceArray, "item", refuse)
        patched.setattr(DeviceArray, "numpy", refuse)
        enqueued = [run.enqueue(), run.enqueue()]
    read = [run.read(each) for each in enqueued]
    assert [metrics["step"] for metrics in read] == [1, 2]
    assert all(type(metrics["loss"]) is type(metrics["norm"]) is float for metrics in read)


def test_the_numbers_are_those_of_the_cpu():
    found = []
    for place in ("cpu", device.chosen):
        metrics = []
        train(begin(SETTINGS | {"device": place, "dropout": 0.0}), log=metrics.append)
        found.append([[line["loss"], line["norm"]] for line in metrics])
    near(np.array(found[1]), found[0])


def test_a_loss_that_is_no_number_is_found_when_it_is_read():
    run = begin(SETTINGS)
    run.model.ln_f.bias.data[...] = np.full(run.model.ln_f.bias.shape, np.nan, np.float32)
    enqueued = run.enqueue()
    with pytest.raises(ValueError, match="got a loss of nan at step 1; expected a lower"):
        run.read(enqueued)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="no torch")
@pytest.mark.skipif(device.chosen == "simulate", reason="without torch")
def test_torch_computes_nothing():
    from torch.utils._python_dispatch import TorchDispatchMode

    allowed = {"empty", "clone", "copy_", "detach", "view", "slice", "alias", "_to_copy"}
    # What torch.from_numpy, pin_memory, and Triton's interpreter around its copies ask for.
    allowed |= {"lift_fresh", "new_empty", "set_", "is_pinned", "_pin_memory"}
    asked = Counter()

    class Watched(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, arguments=(), named=None):
            asked[function.overloadpacket.__name__] += 1
            return function(*arguments, **(named or {}))

    run = begin(SETTINGS)
    with Watched():
        run.enqueue()
    assert asked and not set(asked) - allowed
