"""Every kernel compiled for five GPUs that are not here, and the table itself."""

import importlib.util
import re
import subprocess
import sys

import pytest

from engine import gpu
from kernels import compiled, device, roofline
from kernels.compiled import Compiled

# Here Triton compiles, in processes of their own; in this one it may interpret.
compiling = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None or device.chosen != "simulate",
    reason="needs Triton, once",
)


def run(*words):
    return subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True)


@compiling
def test_every_kernel_for_every_target():
    done = run("kernels.compiled", "--model", "stories")
    assert (done.returncode, done.stderr) == (0, "")
    head, *lines = done.stdout.splitlines()
    assert head == compiled.HEAD
    assert list(dict.fromkeys(line.split()[0] for line in lines)) == list(compiled.TARGETS)
    assert any("linear, each choice" in line for line in lines)


@compiling
def test_planted_faults_are_found():
    done = run("tests.kernels.planted")
    assert (done.returncode, done.stderr) == (0, "")
    found = dict(line.split(":", 1) for line in done.stdout.splitlines())
    assert found.pop("well") == found.pop("tensor") == ""
    for name, fault in (
        ("narrow", "16 narrow; expected none"),
        ("spills", " spills; expected none"),
        ("product", "no instruction of tensor cores; expected some for tf32"),
        ("shared", "bytes of shared memory; expected at most 166,912"),
    ):
        assert fault in found.pop(name), name
    assert not found


@pytest.mark.skipif(importlib.util.find_spec("triton") is not None, reason="Triton is here")
def test_without_triton():
    done = run("kernels.compiled")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        r"device: got no package (torch|triton); expected it: make train WITH=triton\n", done.stderr
    )


def test_every_launcher_has_a_case_and_costs():
    s = roofline.sizes(compiled.MODELS["stories"], B=2)
    cases = compiled.cases(s)
    assert cases.keys() == roofline.costs(s).keys()
    # copy and zeros are torch's, and total adds.
    assert {name.split()[0] for name in cases} == set(gpu.__all__) - {"copy", "zeros", "total"}


def a_kernel(**changed):
    found = {"call": "add", "kernel": "add_kernel", "target": "sm_90", "precision": "ieee"}
    found |= {"warps": 4, "registers": 32, "spills": 0, "shared": 0, "wide": 6, "narrow": 0}
    return Compiled(**found | {"tensor": 0} | changed)


@pytest.mark.parametrize(
    "changed, programs",
    [
        ({}, 16),  # 64 warps
        ({"warps": 1}, 32),  # as many programs as there can be
        ({"registers": 33}, 12),  # 40 for each thread: 48 warps
        ({"registers": 255}, 2),
        ({"shared": 113 * 1024}, 2),
        ({"shared": 114 * 1024}, 1),  # and 1 KB besides
        ({"target": "sm_75"}, 8),
        ({"target": "sm_75", "shared": 16 * 1024}, 4),
        ({"target": "gfx942", "registers": 256}, 2),
        ({"warps": 32, "registers": 128}, 0),  # such a program cannot start
    ],
)
def test_programs_at_once(changed, programs):
    assert a_kernel(**changed).at_once == programs


def test_what_is_allowed_is_no_fault(monkeypatch):
    columns = ("spills", "narrow")
    assert list(a_kernel(narrow=1).faults(("spills",))) == []
    assert list(a_kernel(narrow=2).faults(columns)) == ["got 2 narrow; expected none"]
    monkeypatch.setitem(compiled.ALLOWED, ("add_kernel", "narrow"), 2)
    assert list(a_kernel(narrow=2).faults(columns)) == []
    assert list(a_kernel(narrow=3).faults(columns)) == ["got 3 narrow; expected 2"]
    assert list(a_kernel(kernel="scale_kernel", narrow=2).faults(columns)) != []
    assert list(a_kernel(precision="tf32x3", tensor=1).faults(columns)) == []


def test_a_program_that_no_multiprocessor_can_hold():
    (fault,) = a_kernel(warps=32, registers=128).faults(())
    assert fault == "got 32 warps of 128 registers; expected room for them on a multiprocessor"


def test_machine_code_tells_wide_from_narrow():
    text = "LDG.E.128.SYS R4 ; STG.E.64 [R2] ; LDGSTS.E.BYPASS.128 [R1] ; global_load_dwordx4 v ;"
    text += " global_store_dword v ; LDS.128 R1 ; global_load_dwordx2 v ; LDG.E.ENL2.256 R4"
    moves = re.findall(compiled.MOVES, text)
    assert len(moves) == 7
    assert sum(bool(re.search(compiled.WIDE, move)) for move in moves) == 4
