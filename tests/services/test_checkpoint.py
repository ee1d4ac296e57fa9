import os
import random
import resource
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from model import STEP
from model.gpt import GPT
from model.options import NAMES_RUN
from model.run import Run, begin, resume
from model.services.checkpoint import CHECKPOINT, load, lock, read, set_aside, write
from model.train import train
from tests.few_names import FewNames

ROOT = Path(__file__).parents[2]
# How often the run below is killed. KILLS=20 make test ARGS="-k kill" takes a minute.
KILLS = int(os.environ.get("KILLS", "2"))
SETTINGS = NAMES_RUN | {"data": "names", "names": None, "dropout": 0.2, "steps": 12}
SETTINGS |= {"batch_size": 8, "micro_batches": 2, "save_every": 5, "processes": 2}
FLAGS = ["--data", "names", "--dropout", "0.1", "--batch-size", "4", "--save-every", "1"]
FLAGS += ["--processes", "2"]


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
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
        # Python would keep a module's bytecode cut off at the limit.
        | {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
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


def test_a_run_goes_on_as_if_it_had_never_stopped():
    whole = begin(SETTINGS)
    losses = [whole.step() for _ in range(12)]
    first = begin(SETTINGS)
    assert [first.step() for _ in range(5)] == losses[:5]
    first.save()
    second = resume()
    assert second.done == 5
    assert [second.step() for _ in range(7)] == losses[5:]
    for name, array in second.arrays().items():
        assert np.array_equal(array, whole.arrays()[name])
    assert second.state() == whole.state()


def test_training_saves_now_and_then_and_at_the_end():
    run, saved = begin(SETTINGS), []
    train(run, save=lambda: saved.append(run.done))
    assert saved == [5, 10, 12]


def test_killed_at_random_moments_a_run_ends_as_if_nothing_had_happened():
    """SIGKILL cannot be caught: nothing is tidied up. Every file found afterwards is whole."""
    assert outcome(*FLAGS, "--steps", "400")[0] == 0
    expected = content()
    CHECKPOINT.unlink()
    rng, flags = random.Random(KILLS), [*FLAGS, "--steps", "400"]
    for _ in range(KILLS):
        process, before = start(*flags), CHECKPOINT.exists() and CHECKPOINT.stat().st_mtime_ns
        while not CHECKPOINT.exists() or CHECKPOINT.stat().st_mtime_ns == before:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.3 / KILLS))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert content()[1]["done"] < 400
        flags = ["--resume"]
    code, report, _ = outcome("--resume")
    assert code == 0 and report.startswith("step-")
    assert content() == expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_saves_reports_and_leaves(number):
    process = start(*FLAGS, "--save-every", "100000", "--steps", "100000")
    process.stderr.read(4)
    process.send_signal(number)
    report, told = process.communicate(timeout=60)
    assert process.returncode == 0 and report.startswith("step-")
    done = content()[1]["done"]
    assert 0 < done < 100000
    assert f"stopped after {done} of 100000 steps; --resume goes on\n" in told


def test_a_full_disk_leaves_the_checkpoint_that_was_there():
    assert outcome(*FLAGS, "--steps", "3")[0] == 0
    whole = content()
    code, out, err = outcome("--data", "names", "--steps", "3", limit=20_000)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("train: checkpoint: got File too large at runs/")
    assert content() == whole == content(Path("runs/before.safetensors"))
    assert "checkpoint.new" not in os.listdir("runs")


def test_a_folder_that_cannot_be_written():
    Path("runs").write_text("not a folder")
    code, out, err = outcome("--data", "names", "--steps", "3")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "train: checkpoint: got " in err and "at runs/checkpoint.safetensors" in err


def test_a_new_run_keeps_the_checkpoint_of_the_one_before():
    assert outcome(*FLAGS, "--steps", "3")[0] == 0
    before = content()
    assert outcome(*FLAGS, "--steps", "4")[0] == 0
    assert content(Path("runs/before.safetensors")) == before != content()


def test_a_run_given_up_at_once_does_not_cost_the_checkpoint_of_the_one_before():
    run = begin(SETTINGS)
    run.step()
    run.save()
    whole = content()
    for _ in range(2):
        set_aside()
        begin(SETTINGS).save()
    assert content(Path("runs/before.safetensors")) == whole


def test_two_runs_in_one_folder():
    lock()
    code, out, err = outcome("--data", "names", "--steps", "3")
    assert (code, out, os.listdir("runs")) == (2, "", ["lock"])
    assert err.startswith("train: checkpoint: got another run at work at runs/")


def test_a_finished_run_has_nothing_left_to_do():
    assert outcome(*FLAGS, "--steps", "3")[0] == 0
    whole = content()
    code, out, _ = outcome("--resume")
    assert code == 0 and out.splitlines()[0].endswith(" · no step was left")
    assert content() == whole


def change(path, **changes):
    arrays, state = read(path)
    write(path, arrays, state | changes)


def drop_tensor(path):
    arrays, state = read(path)
    del arrays["m.ln_f.bias"]
    write(path, arrays, state)


def reshape_tensor(path):
    arrays, state = read(path)
    arrays["weight.ln_f.bias"] = arrays["weight.ln_f.bias"][:-1]
    write(path, arrays, state)


def widen_tensor(path):
    arrays, state = read(path)
    arrays["weight.ln_f.bias"] = arrays["weight.ln_f.bias"].astype(float)
    write(path, arrays, state)


def add_tensor(path):
    arrays, state = read(path)
    write(path, arrays | {"weight.more": np.zeros(1, np.float32)}, state)


def colour_tensor(path):
    """A name that would turn the terminal red."""
    arrays, state = read(path)
    write(path, arrays | {"weight.\x1b[31m": np.zeros(1, np.float32)}, state)


def flip_bit(path):
    whole = bytearray(path.read_bytes())
    whole[-20] ^= 1
    path.write_bytes(whole)


def lie_about_length(path):
    whole = path.read_bytes()
    path.write_bytes(struct.pack("<Q", 2**40) + whole[8:])


@pytest.mark.parametrize(
    "spoil, message",
    [
        (Path.unlink, "got no file at runs/"),
        (lambda path: path.write_bytes(b""), "got a damaged or foreign file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "got a damaged or foreign file"),
        (lambda path: path.write_bytes(b"\x00" * 1000), "got a damaged or foreign file"),
        (lie_about_length, "got a damaged or foreign file"),
        (lambda path: save_file(load_file(path), path), "got a damaged or foreign file"),
        (lambda path: save_file({}, path, {"state": "[]"}), "got a damaged or foreign file"),
        (lambda path: change(path, step="step-98"), "got one of step-98"),
        (lambda path: change(path, settings={}), "got a damaged state"),
        (drop_tensor, "got None for m.ln_f.bias; expected ((16,), 'float32')"),
        (add_tensor, "got ((1,), 'float32') for weight.more; expected None"),
        (
            reshape_tensor,
            "got ((15,), 'float32') for weight.ln_f.bias; expected ((16,), 'float32')",
        ),
        (widen_tensor, "got ((16,), 'float64') for weight.ln_f.bias; expected ((16,), 'float32')"),
        (lambda path: change(path, digest="0"), "got other data in names"),
        (lambda path: change(path, rng=None), "got a damaged state"),
        (lambda path: change(path, rng=[3, [-1] * 625, None]), "got a damaged state"),
        (lambda path: change(path, rng=[3, [2**70] * 625, None]), "got a damaged state"),
        (lambda path: change(path, noise=[]), "got a damaged state"),
        (lambda path: change(path, noise=-1), "got the noise at -1 at runs/"),
        (lambda path: change(path, done=float("inf")), "got a damaged state"),
        (lambda path: change(path, done=13), "got 13 steps done of 12 at runs/"),
        (
            lambda path: change(path, settings=SETTINGS | {"micro_batches": 0}),
            "got --micro-batches 0; expected",
        ),
        (lambda path: change(path, settings=SETTINGS | {"steps": 1.5}), "got --steps 1.5; exp"),
        (lambda path: change(path, settings=SETTINGS | {"dropout": "0"}), "got a damaged state"),
        (lambda path: change(path, settings=SETTINGS | {"names": 5}), "got a damaged state"),
        (flip_bit, "got another checksum than was written at runs/"),
        (colour_tensor, r"for weight.\x1b[31m; expected None"),
    ],
)
def test_a_checkpoint_that_cannot_be_resumed_gets_one_line_and_stays(spoil, message):
    run = Run(GPT(random.Random(1)).to(np.float32), FewNames(["anna"]), SETTINGS)
    run.data.digest = begin(SETTINGS).data.digest
    run.save()
    spoil(CHECKPOINT)
    there = CHECKPOINT.exists() and CHECKPOINT.read_bytes()
    code, out, err = outcome("--resume")
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert message in err and err.removesuffix("\n").isprintable()
    assert there == (CHECKPOINT.exists() and CHECKPOINT.read_bytes())


def test_resume_takes_no_other_options():
    code, out, err = outcome("--resume", "--steps", "5")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("train: got --resume with other options; expected it alone")


def test_the_model_alone_for_those_who_ask_it():
    run = begin(SETTINGS)
    run.step()
    run.save()
    model, tokenizer = load()
    assert tokenizer.state() == ["letters"] and not model.training
    for w, x in zip(model.parameters(), run.model.parameters()):
        assert np.array_equal(w.data, x.data)
