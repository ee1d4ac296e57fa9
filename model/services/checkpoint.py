"""Weights on disk, as JSON: a name and its numbers for each. Nothing here is part of the lesson."""

import json
import os
from pathlib import Path

import numpy as np

from model import STEP
from model.services.progress import fail

WEIGHTS = Path("runs/weights.json")


def save(model, path=WEIGHTS):
    """Writes the weights into a file beside it first, so that a whole one is always there."""
    weights = {name: weight.data.tolist() for name, weight in model.named_parameters()}
    beside = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps({"step": STEP, "weights": weights}))
        os.replace(beside, path)
    except OSError as error:
        if beside.exists():
            beside.unlink()
        fail(f"weights: got {error.strerror} at {path}; expected to write there")


def load(model, path=WEIGHTS):
    """Puts saved weights into the model.

    Raises ValueError where there are none, or where they are those of another model.
    """
    try:
        if path.exists() and not path.is_file():  # to read a pipe is to wait for its writer
            raise ValueError
        saved = json.loads(path.read_text())
        weights = {name: np.array(rows, dtype=float) for name, rows in saved["weights"].items()}
        step = saved["step"]
        if not all((abs(w) < 10_000).all() for w in weights.values()):  # nor is NaN
            raise ValueError
    except OSError as error:
        raise ValueError(
            f"weights: got {path} ({error.strerror}); expected what make train leaves"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ValueError(
            f"weights: got {path}, which is damaged; expected what make train leaves"
        ) from None
    named = dict(model.named_parameters())
    shapes = [{name: weight.shape for name, weight in part.items()} for part in (weights, named)]
    if step != STEP or shapes[0] != shapes[1]:
        raise ValueError(f"weights: got those of {step} in {path}; expected {STEP}: make train")
    for name, weight in named.items():
        weight.data = weights[name]
