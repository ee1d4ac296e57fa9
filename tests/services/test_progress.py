"""When the numbers of a step are read, and what comes of it on the display, in the log, on disk."""

import os
import signal

import pytest

from model.options import NAMES_RUN
from model.run import Run, begin
from model.services.progress import Progress
from model.train import train

SETTINGS = NAMES_RUN | {"data": "names", "names": None, "batch_size": 4, "device": "cpu"}
SETTINGS |= {"steps": 14, "watch_every": 4, "save_every": 6}


@pytest.fixture
def events(monkeypatch):
    """What happens, in order; by the clock nothing is ever due but the end."""
    happened, enqueue = [], Run.enqueue

    def watched(run):
        enqueued = enqueue(run)
        happened.append(("enqueue", run.done))
        return enqueued

    monkeypatch.setattr(Run, "enqueue", watched)
    monkeypatch.setattr(Progress, "due", lambda progress: progress.stopped or progress.last)
    return happened


def run_and_tell(happened, settings=SETTINGS):
    run = begin(settings)
    progress = train(
        run,
        save=lambda: happened.append(("save", run.done)),
        log=lambda metrics: happened.append(("log", metrics["step"])),
    )
    return run, progress


def test_steps_are_read_where_one_is_watched_or_saved_and_at_the_end(events):
    """Each line is logged once, in order, and before a checkpoint that holds its step."""
    _, progress = run_and_tell(events)
    expected, logged = [], 0
    for step in range(1, 15):
        expected.append(("enqueue", step))
        if step in (4, 6, 8, 12, 14):
            expected += [("log", each) for each in range(logged + 1, step + 1)]
            logged = step
        if step in (6, 12):
            expected.append(("save", step))
    assert events == [*expected, ("save", 14)]
    assert progress.steps == 14 and progress.average > 0


def test_a_step_after_which_numbers_are_due_is_read_at_once(events, monkeypatch):
    monkeypatch.setattr(Progress, "due", lambda progress: True)
    run_and_tell(events, SETTINGS | {"steps": 2})
    assert events == [("enqueue", 1), ("log", 1), ("enqueue", 2), ("log", 2), ("save", 2)]


def test_ctrl_c_reads_and_saves_the_steps_that_were_taken(events, monkeypatch):
    enqueue = Run.enqueue

    def stopped(run):
        if run.done == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return enqueue(run)

    monkeypatch.setattr(Run, "enqueue", stopped)
    _, progress = run_and_tell(events)
    assert progress.stopped
    assert events[-4:] == [("log", 1), ("log", 2), ("log", 3), ("save", 3)]


def test_a_loss_that_is_no_number_is_found_when_read_and_nothing_is_saved(events, monkeypatch):
    enqueue = Run.enqueue

    def spoiled(run):
        if run.done == 7:
            run.model.ln_f.bias.data[...] = float("nan")
        return enqueue(run)

    monkeypatch.setattr(Run, "enqueue", spoiled)
    with pytest.raises(ValueError, match="got a loss of nan at step 8; expected a lower"):
        run_and_tell(events)
    assert [name for name, _ in events].count("save") == 1
    assert events[-2:] == [("enqueue", 8), ("log", 7)]


def test_twice_a_second_numbers_are_due(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    progress, due = Progress(range(9)), []
    for now[0] in (100.0, 100.4, 100.5, 100.6, 101.1):
        due.append(progress.due())
    assert due == [True, False, True, False, True]
    progress.stopped = True
    assert progress.due()


def test_the_display_shows_the_steps_that_were_read(monkeypatch):
    shown = []
    progress = Progress(range(3, 8))
    for step in progress:
        if step in (5, 7):
            for loss in range(2 if step == 7 else 3):
                progress.note(float(loss), tokens=10)
        shown.append(Progress.bar.n)
    assert shown == [3, 3, 3, 6, 6] and Progress.bar.n == 8
    assert progress.steps == 5 and progress.tokens == 50
