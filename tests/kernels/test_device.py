"""Arrays on a device: what they hold, what they share, what they refuse."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kernels import device
from kernels.device import DeviceArray, empty, put, zeros

ROOT = Path(__file__).parents[2]


def numbers(*shape, dtype=np.float32):
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


@pytest.mark.parametrize("dtype", (np.float32, np.int32, np.int64))
def test_there_and_back(dtype):
    x = numbers(3, 4, dtype=dtype)
    on_device = put(x.T)
    assert (on_device.shape, on_device.dtype, on_device.ndim) == ((4, 3), dtype, 2)
    assert (on_device.size, on_device.nbytes, len(on_device)) == (12, 12 * x.itemsize, 4)
    x += 1
    back = on_device.numpy()
    assert back.dtype == dtype and (back == numbers(3, 4).T).all()
    back += 1
    assert (on_device.numpy() == numbers(3, 4).T).all()


def test_a_single_number():
    x = put(np.array(2.5, np.float32))
    assert (x.shape, x.size, x.item()) == ((), 1, 2.5)


def test_views_share_memory():
    x = put(numbers(6, 2))
    x.reshape(12)[4:6][...] = np.array([7, 8])
    x.reshape((2, 6))[0:1][...] = put(numbers(1, 6) * 10)
    assert x.numpy().tolist() == [[0, 10], [20, 30], [40, 50], [6, 7], [8, 9], [10, 11]]
    assert x.reshape(3, -1).shape == (3, 4)
    # However numpy's array lay in memory, on the device its numbers lie one after another.
    turned = put(numbers(3, 4).T)
    turned.reshape(12)[1:2][...] = np.array([-1])
    assert turned.numpy()[0].tolist() == [0, -1, 8]


def test_new_arrays():
    assert zeros((2, 3)).numpy().tolist() == [[0, 0, 0]] * 2
    assert empty((2, 3)).shape == (2, 3) and empty(4, np.int32).dtype == np.int32
    if device.chosen != "cuda":
        assert np.isnan(empty((2, 3)).numpy()).all()
        assert (empty(4, np.int64).numpy() == -(2**63)).all()


def test_numpy_computes_nothing_with_them():
    x, array = put(numbers(3)), numbers(3)
    for compute in (lambda: x + 1.0, lambda: array + x, lambda: np.exp(x), lambda: x @ x):
        with pytest.raises(TypeError):
            compute()
    for compute in (np.asarray, lambda x: np.dot(array, x)):
        with pytest.raises(ValueError, match=r"got a function of numpy; expected x.numpy\(\)"):
            compute(x)
    with pytest.raises(TypeError):
        list(x)


@pytest.mark.parametrize("key", (0, (0, 1), slice(None, None, 2), None))
def test_other_indices(key):
    with pytest.raises(ValueError, match=r"DeviceArray: got the index .* expected x"):
        put(numbers(4, 4))[key]
    with pytest.raises(ValueError, match=r"DeviceArray: got the index .* expected x\[...\]"):
        put(numbers(4, 4))[key] = numbers(4)


def test_copies_of_another_shape_or_kind():
    with pytest.raises(ValueError, match=r"got an array of shape \(4,\); expected \(2, 2\)"):
        put(numbers(2, 2))[...] = numbers(4)
    with pytest.raises(ValueError, match="put: got an array of float64; expected float32"):
        put(np.ones(2))


def test_a_device_that_nobody_knows():
    with pytest.raises(ValueError, match=r"got tpu; expected one of .*interpret, cuda"):
        device.use("tpu")


def python(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_neither_triton_nor_torch_is_imported_to_simulate():
    code = """
import sys
from kernels import elementwise
from kernels.device import zeros
elementwise.add(zeros(3), zeros(3))
print(sorted({"torch", "triton"} & {*sys.modules}))
"""
    assert python(code) == "[]\n"


def test_without_the_packages():
    code = """
import sys
from kernels import device
sys.modules["PACKAGE"] = None
for name in ("interpret", "cuda"):
    try:
        device.use(name)
    except ValueError as error:
        print(error)
"""
    line = "device: got no package PACKAGE; expected it: make train WITH=triton\n"
    assert python(code.replace("PACKAGE", "torch")) == 2 * line.replace("PACKAGE", "torch")


def gpu(monkeypatch, **cuda):
    """Stands in for torch on a machine with this GPU."""
    cuda = {"init": lambda: None, "get_device_name": lambda: "V100", **cuda}
    torch = SimpleNamespace(version=SimpleNamespace(cuda="13.0"), cuda=SimpleNamespace(**cuda))
    monkeypatch.setitem(sys.modules, "torch", torch)
    return torch


def test_a_gpu_that_is_too_old(monkeypatch):
    gpu(monkeypatch, get_device_capability=lambda: (7, 5))
    device.check_gpu()
    gpu(monkeypatch, get_device_capability=lambda: (7, 0))
    with pytest.raises(ValueError, match=r"got V100 of compute capability 7.0; expected 7.5"):
        device.check_gpu()


def test_no_driver_or_one_that_does_not_fit(monkeypatch):
    def init():
        raise RuntimeError("The NVIDIA driver is too old (found version 11040). Please\nupdate it")

    gpu(monkeypatch, init=init)
    with pytest.raises(ValueError) as error:
        device.check_gpu()
    assert str(error.value) == (
        "device: got 'The NVIDIA driver is too old (found version 11040)'; "
        "expected an NVIDIA GPU and a driver that fits"
    )


def test_a_torch_without_cuda(monkeypatch):
    gpu(monkeypatch).version.cuda = None
    with pytest.raises(ValueError, match="a torch for the CPU only; expected make train WITH="):
        device.check_gpu()


def test_the_best_device(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda program: None)
    assert device.best() == ("simulate", None)
    monkeypatch.setattr("shutil.which", lambda program: program)
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    assert device.best()[0] == "simulate" and "make train WITH=triton" in device.best()[1]


def test_repr():
    assert repr(DeviceArray(numbers(2, 3))) == "DeviceArray(shape=(2, 3), dtype=float32)"
