"""A training that is kept for all steps of the same code."""

import numpy as np
import training

from model import STEP
from model.services import checkpoint


def test_a_kept_checkpoint_is_that_of_another_step(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.safetensors"
    arrays = {"b": np.arange(3.0), "a": np.ones((2, 2), np.float32)}
    checkpoint.write(path, arrays, {"step": STEP, "done": 7})
    path.write_bytes(training.with_number(path.read_bytes(), STEP, "step-98"))
    monkeypatch.setattr(checkpoint, "STEP", "step-98")
    found, state = checkpoint.read(path)
    assert state == {"step": "step-98", "done": 7}
    assert all((found[name] == array).all() for name, array in arrays.items())


def test_a_log_names_another_step():
    assert (
        training.with_number(b'{"step": "step-07"}', "step-07", "step-12") == b'{"step": "step-12"}'
    )
