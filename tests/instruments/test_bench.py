import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from model.instruments import bench

ROOT = Path(__file__).parents[2]


def test_a_round_at_a_very_small_size():
    """Equal losses and a ratio, whatever it is: no test depends on time."""
    pytest.importorskip("torch")
    command = ["-m", "model.instruments.bench", "--sizes", "names", "--rounds", "1", "--eager"]
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, "")
    title, losses, ours, eager, ratio, worst = done.stdout.splitlines()
    assert title == "names B2 T16 C16 H4 L1"
    assert re.fullmatch(r"  equal losses( \d\.\d{4}){5}", losses)
    for name, line in ("ours", ours), ("eager", eager):
        assert re.fullmatch(rf"  {name} +\d+\.\d ms +\d+ MB", line)
    assert re.fullmatch(r"  ratio \d+\.\d\d", ratio)
    assert worst == "worst" + ratio.removeprefix(" ")


def test_no_rounds(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench", "--rounds", "0"])
    with pytest.raises(SystemExit) as stopped:
        bench.main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "bench: got 0 rounds; expected at least 1\n"


def test_without_pytorch_it_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["bench"])
    with pytest.raises(SystemExit) as stopped:
        bench.main()
    error = capsys.readouterr().err
    assert stopped.value.code == 2
    assert error.startswith("bench: got no PyTorch; expected ")
    assert error.endswith("make test WITH=torch\n")
