"""Weights on disk, as JSON: a name and its numbers for each. Nothing here is part of the lesson."""

import json
import os
import random
from dataclasses import asdict
from pathlib import Path

import numpy as np

from model import STEP
from model.data import Letters
from model.gpt import GPT, GPTConfig
from model.services.progress import fail
from model.tokenizer import Tokenizer

WEIGHTS = Path("runs/weights.json")
TOKENIZERS = {"letters": Letters, "pieces": Tokenizer}


def save(model, tokenizer, path=WEIGHTS):
    """Writes the weights into a file beside it first, so that a whole one is always there.

    tokenizer: knows what the tokens that go into the model and come out of it stand for.
    """
    weights = {name: weight.data.tolist() for name, weight in model.named_parameters()}
    beside = path.with_suffix(".new")
    kind = tokenizer.state()
    content = {"step": STEP, "tokenizer": kind, "config": asdict(model.config), "weights": weights}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(content))
        os.replace(beside, path)
    except OSError as error:
        if beside.exists():
            beside.unlink()
        fail(f"weights: got {error.strerror} at {path}; expected to write there")


def load(path=WEIGHTS):
    """(model, tokenizer) as they were saved.

    Raises ValueError where there are none, or where they are those of another step.
    """
    try:
        if path.exists() and not path.is_file():  # to read a pipe is to wait for its writer
            raise ValueError
        saved = json.loads(path.read_text())
        weights = {name: np.array(rows, dtype=float) for name, rows in saved["weights"].items()}
        step, (kind, *merges) = saved["step"], saved.get("tokenizer", ["letters"])
        tokenizer = TOKENIZERS[kind](*merges)
        config, count = saved.get("config", {}), sum(w.size for w in weights.values())
        if not all((abs(w) < 10_000).all() for w in weights.values()):  # nor is NaN
            raise ValueError
        if config:
            # A model larger than the file could take all memory before shapes are compared.
            V, T, C, L = (config[name] for name in "VTCL")
            if count < C * (V + T + L * C):
                raise ValueError
        model = GPT(random.Random(0), GPTConfig(**config))
    except OSError as error:
        raise ValueError(
            f"weights: got {path} ({error.strerror}); expected what make train leaves"
        ) from None
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        raise ValueError(
            f"weights: got {path}, which is damaged; expected what make train leaves"
        ) from None
    named = dict(model.named_parameters())
    shapes = [{name: weight.shape for name, weight in part.items()} for part in (weights, named)]
    if step != STEP or shapes[0] != shapes[1] or model.config.V != tokenizer.V:
        raise ValueError(f"weights: got those of {step} in {path}; expected {STEP}: make train")
    for name, weight in named.items():
        weight.data = weights[name]
    return model.to(np.float32).eval(), tokenizer
