"""What launchers ask about the GPU, of one that is played."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from kernels import device, launch


@pytest.mark.parametrize(
    "backend, arch, capability, precision",
    [
        ("cuda", 75, (7, 5), "ieee"),
        ("cuda", 80, (8, 0), "tf32x3"),
        ("cuda", 120, (12, 0), "tf32x3"),
        ("hip", "gfx942", (0, 0), "ieee"),
    ],
)
def test_precision(backend, arch, capability, precision, monkeypatch):
    target = SimpleNamespace(backend=backend, arch=arch)
    runtime = ModuleType("triton.runtime")
    runtime.driver = SimpleNamespace(active=SimpleNamespace(get_current_target=lambda: target))
    monkeypatch.setitem(sys.modules, "triton.runtime", runtime)
    monkeypatch.setattr(device, "chosen", "cuda")
    assert (launch.capability(), launch.precision()) == (capability, precision)


@pytest.mark.parametrize("name", ("simulate", "interpret"))
def test_without_a_gpu(name, monkeypatch):
    monkeypatch.setattr(device, "chosen", name)
    assert (launch.capability(), launch.precision()) == ((0, 0), "ieee")


def test_the_name_of_the_gpu(monkeypatch):
    torch = SimpleNamespace(cuda=SimpleNamespace(get_device_name=lambda: "Some GPU"))
    monkeypatch.setitem(sys.modules, "torch", torch)
    for name, gpu in (("cuda", "Some GPU"), ("meta", None), ("simulate", None)):
        monkeypatch.setattr(device, "chosen", name)
        assert launch.gpu() == gpu
