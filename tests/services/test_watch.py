import os
import subprocess
from pathlib import Path

import pytest

from model.options import NAMES_RUN
from model.run import begin
from model.services.checkpoint import CHECKPOINT, set_aside
from model.services.watch import LOG, open_log, read_log, write_line
from model.train import train
from tests.program import TRAIN

ROOT = Path(__file__).parents[2]
SETTINGS = NAMES_RUN | {"data": "names", "names": None, "batch_size": 4, "watch_every": 3}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def outcome(*flags):
    command = [*TRAIN, *flags]
    env = os.environ | {"PYTHONPATH": str(ROOT)}  # the same arithmetic as here
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_each_step_is_told():
    metrics = []
    train(begin(SETTINGS | {"steps": 7}), log=metrics.append)
    assert [line["step"] for line in metrics] == [1, 2, 3, 4, 5, 6, 7]
    assert [line["step"] for line in metrics if "held_out" in line] == [3, 6]
    for line in metrics:
        assert 0 < line["bits_per_byte"] < 8 and line["loss"] > 0 and line["norm"] > 0
        assert 0 <= line["learning_rate"] <= SETTINGS["learning_rate"] and line["tokens"] >= 12


def test_looking_changes_nothing():
    """Asked after every step or never, with dropout: the losses are the same."""
    losses = []
    for every in (1, 100):
        metrics, settings = [], SETTINGS | {"steps": 6, "watch_every": every, "dropout": 0.2}
        train(begin(settings), log=metrics.append)
        losses.append([line["loss"] for line in metrics])
    assert losses[0] == losses[1]


def test_a_log_goes_on_after_the_step_that_was_saved():
    """What was logged after the last checkpoint is logged again; a torn line is left out."""
    with open_log({"floor": 1.5}, 0) as log:
        for step in range(1, 6):
            write_line(log, {"step": step, "loss": 1.0 / 3.0})
        log.write('{"step": 6, "lo')
    assert [line.get("step") for line in read_log()] == [None, 1, 2, 3, 4, 5]
    with open_log({"floor": 0.0}, 3) as log:
        write_line(log, {"step": 4, "loss": 2.0})
    assert read_log()[0] == {"floor": 1.5}
    assert [line["step"] for line in read_log()[1:]] == [1, 2, 3, 4]
    assert read_log()[1]["loss"] == 1.0 / 3.0 and read_log()[-1]["loss"] == 2.0
    before = read_log()
    set_aside()
    open_log({"floor": 0.5}, 0).close()
    assert read_log() == [{"floor": 0.5}]
    assert read_log(LOG.with_name("before.jsonl")) == before


def test_a_run_given_up_at_once_costs_neither_checkpoint_nor_log_of_the_one_before():
    run = begin(SETTINGS)
    with open_log({"floor": None}, 0) as log:
        write_line(log, run.step())
    run.save()
    files = CHECKPOINT, LOG
    whole = [path.read_bytes() for path in files]
    for _ in range(2):
        set_aside()
        begin(SETTINGS).save()
        with open_log({"floor": None}, 0) as log:
            write_line(log, {"step": 1})
    assert [path.with_stem("before").read_bytes() for path in files] == whole


NESTED = b"[" * 100_000 + b"]" * 100_000
LINES = [b"no JSON\n", b"\xff\n", b"[1]\n", b'{"step": "1"}\n', NESTED + b"\n"]


@pytest.mark.parametrize("content", LINES, ids=range(len(LINES)))
def test_a_log_that_cannot_be_read(content):
    LOG.parent.mkdir()
    LOG.write_bytes(content)
    with pytest.raises(ValueError, match="log: got runs/log"):
        read_log()


def test_a_step_that_spoils_the_weights_is_noticed_when_asked():
    run = begin(SETTINGS)
    run.model.tok_emb.data[:] = float("nan")
    with pytest.raises(ValueError, match="held-out loss of nan after step 0; expected a lower"):
        run.evaluate()


def test_a_line_is_there_as_soon_as_it_is_written():
    with open_log({"floor": None}, 0) as log:
        write_line(log, {"step": 1})
        assert read_log() == [{"floor": None}, {"step": 1}]


def test_a_run_that_was_resumed_leaves_the_log_of_one_that_was_not():
    flags = ["--data", "names", "--steps", "12", "--save-every", "5", "--watch-every", "4"]
    assert outcome(*flags).returncode == 0
    whole = LOG.read_text()
    run = begin(SETTINGS | {"steps": 12, "batch_size": 32, "save_every": 5, "watch_every": 4})
    with open_log({"floor": None}, 0) as log:
        for _ in range(7):
            metrics = run.step()
            write_line(log, metrics | (run.evaluate() if run.done == 4 else {}))
            if run.done == 5:
                run.save()
    done = outcome("--resume")
    assert done.returncode == 0, done.stderr
    assert LOG.read_text() == whole


def test_the_log_of_stories_begins_with_the_floor():
    done = outcome("--steps", "2", "--watch-every", "2", "--merges", "0", "--batch-size", "1")
    assert done.returncode == 0 and "bits per byte held out: " in done.stderr
    first, *steps = read_log()
    assert first == {"floor": pytest.approx(0.2348, abs=1e-4)}
    assert steps[-1]["held_out"] == pytest.approx(7, abs=1) and steps[-1]["sample"]


def test_a_log_that_cannot_be_written(tmp_path):
    LOG.mkdir(parents=True)
    done = outcome("--data", "names", "--steps", "2")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("train: got Is a directory at runs/log.new; expected to write")
