"""What book/gpu.py does on a GPU, tried without one."""

import importlib.util
import json

import gpu
import pytest
from common import ROOT

if importlib.util.find_spec("torch") is None or not (ROOT / "kernels/bench.py").exists():
    pytest.skip("no PyTorch, or no kernels to measure", allow_module_level=True)


def test_every_line_runs_without_a_gpu(tmp_path, capsys):
    gpu.main(["--dry", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "simulate.json").read_text())
    names = [row["name"] for row in found["bench"]["rows"]]
    assert found["repeats"] == dict.fromkeys(names, gpu.REPEATS) and "add" in names
    assert found["train"]["ours"]["losses"] == pytest.approx(
        found["train"]["PyTorch"]["losses"], rel=1e-4
    )
    assert "aten::addmm" in found["train"]["PyTorch"]["profile"]
    assert found["waiting"]["names"]["launches"] > 10
    lines = capsys.readouterr().out.splitlines()
    passed = [f"{tool}: 1 of 1 files passed" for tool in ("tests", "memcheck", "racecheck")]
    assert [line for line in lines if line.endswith("files passed")] == passed


def test_what_fails_is_told():
    failing = {"state": "failed", "errors": ["========= ERROR SUMMARY: 2 errors"]}
    found = {"tests": {"a": {"state": "passed"}}, "memcheck": {"a": failing}}
    found |= {"repeats": {"add": 20, "sum": 3}, "train": {"failed": "no memory"}}
    found["waiting"] = {"failed": "no time"}
    said = list(gpu.summary(found))
    assert said[:3] == [
        "tests: 1 of 1 files passed",
        "memcheck: 0 of 1 files passed",
        "  a: failed ========= ERROR SUMMARY: 2 errors",
    ]
    assert said[4:] == [
        "20 runs bit for bit: 1 of 2 ['sum 3']",
        "training: no memory",
        "waiting: no time",
    ]


def test_what_takes_too_long_is_ended_with_all_that_it_has_started():
    plan = gpu.Plan(dry=True)
    status, said, seconds = gpu.run(plan, 0.5, "sh", "-c", "echo begun; sleep 60; echo done")
    assert (status, said) == (None, "begun\n") and seconds < 30
