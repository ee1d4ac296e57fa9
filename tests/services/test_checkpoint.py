import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model import STEP
from model.services.checkpoint import CHECKPOINT, read, write

ROOT = Path(__file__).parents[2]
FLAGS = ["--data", "names", "--dropout", "0.1", "--batch-size", "4"]
# Writes a file, and is killed as soon as it calls the function of os that it is told.
KILLED = """
import os, signal, sys
import numpy as np
from model.services.checkpoint import *
setattr(os, sys.argv[1], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
write(CHECKPOINT, {"a": np.ones(5)}, {"step": STEP})
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def start(*flags, limit=None):
    """The program as a reader starts it; no file may grow beyond `limit` bytes."""

    def small_files():
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.Popen(
        [sys.executable, "-m", "model.train", *flags],
        env={"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=small_files,
    )


def outcome(*flags, limit=None):
    process = start(*flags, limit=limit)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def content(path=CHECKPOINT):
    arrays, state = read(path)
    return {name: array.tobytes() for name, array in arrays.items()}, state


def test_arrays_and_state_come_back_to_the_last_bit():
    rng = np.random.default_rng(1)
    arrays = {"a": rng.normal(size=(3, 4)), "b": np.float32([np.pi, -0.0]), "c": np.zeros((0, 2))}
    state = {"step": STEP, "numbers": [0.1, 2**100, None], "text": "née"}
    write(Path("runs/x.safetensors"), arrays, state)
    back, other = read(Path("runs/x.safetensors"))
    assert other == state and back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype and back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()
    assert os.listdir("runs") == ["x.safetensors"]


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_kill_leaves_the_old_file_whole(moment):
    old, new = {"a": np.zeros(3)}, {"a": np.ones(3)}
    write(CHECKPOINT, old, {"step": STEP})
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, moment], env={"PYTHONPATH": str(ROOT)}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert np.array_equal(read(CHECKPOINT)[0]["a"], old["a"])
    write(CHECKPOINT, new, {"step": STEP})
    assert np.array_equal(read(CHECKPOINT)[0]["a"], new["a"])


def test_a_full_disk_leaves_the_checkpoint_that_was_there():
    assert outcome(*FLAGS, "--steps", "3")[0] == 0
    whole = content()
    code, out, err = outcome("--data", "names", "--steps", "3", limit=10_000)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("train: checkpoint: got File too large at runs/")
    assert content() == whole
    assert "checkpoint.new" not in os.listdir("runs")


def test_a_folder_that_cannot_be_written():
    Path("runs").write_text("not a folder")
    code, out, err = outcome("--data", "names", "--steps", "3")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "train: checkpoint: got " in err and "at runs/checkpoint.safetensors" in err
