"""A training run on disk: all that its next step depends on, in one safetensors file."""

import json
import os
import random
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from model import STEP
from model.gpt import GPT
from model.tokenizer import Tokenizer

CHECKPOINT = Path("runs/checkpoint.safetensors")
LEFT = f"what make train leaves at {STEP}"


def write(path, arrays, state):
    """Named arrays, and in the file's header a state as JSON: the whole of them or nothing.

    The new file is made beside the old one and forced onto the disk; then it takes the old one's
    name. At any moment a whole file has that name. Raises ValueError where there is no room, or
    no leave to write.
    """
    beside = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "wb") as file:
            # The format is what readers of other programs ask for.
            file.write(save(arrays, {"format": "pt", "state": json.dumps(state)}))
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        # The name stands in the folder, which must reach the disk too.
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except OSError as error:
        if beside.exists():
            beside.unlink()
        raise unusable(path, error.strerror, "to write there") from None


def read(path):
    """(arrays, state) as they were written.

    Raises ValueError where there is none, or it is damaged or foreign, or of another step.
    """
    arrays, metadata = read_file(path, LEFT)
    try:
        state = json.loads(metadata["state"])
        step = state["step"]
    except (ValueError, TypeError, LookupError):
        raise unusable(path, "a damaged or foreign file") from None
    if step != STEP:
        raise unusable(path, f"one of {step}")
    return arrays, state


def read_file(path, expected):
    """(arrays, metadata) of a safetensors file. Raises ValueError where it is none."""
    try:
        with safe_open(path, "numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    except FileNotFoundError:
        raise unusable(path, "no file", expected) from None
    except (OSError, SafetensorError, TypeError):
        raise unusable(path, "a damaged or foreign file", expected) from None


def unusable(path, got, expected=LEFT):
    return ValueError(f"checkpoint: got {got} at {path}; expected {expected}")


def fill(places, arrays):
    """Copies each array to the place of its name.

    Raises ValueError where a name is missing or foreign, or a shape or dtype is another.
    """
    got, expected = ({k: (x.shape, str(x.dtype)) for k, x in d.items()} for d in (arrays, places))
    for name in sorted(got.keys() | expected.keys()):
        one, other = got.get(name), expected.get(name)
        if one != other:
            raise ValueError(f"checkpoint: got {one} for {name}; expected {other}")
        places[name][...] = arrays[name]


def load(path=CHECKPOINT):
    """(model, tokenizer): what a checkpoint holds for those who only ask the model."""
    arrays, state = read(path)
    try:
        model = GPT(random.Random(0), **state["sizes"]).to("float32")
        tokenizer = None if state["merges"] is None else Tokenizer(state["merges"])
    except (ValueError, TypeError, LookupError, ArithmeticError, MemoryError):
        raise unusable(path, "a damaged state") from None
    weights = {f"weight.{name}": weight.data for name, weight in model.named_parameters()}
    fill(weights, {name: x for name, x in arrays.items() if name.startswith("weight.")})
    return model.eval(), tokenizer


def set_aside(path=CHECKPOINT):
    """Gives the checkpoint a second name, before.safetensors, until the next new run begins.

    A run that ended before any step of it was saved leaves nothing worth that name.
    """
    before = path.with_name("before.safetensors")
    try:
        worth = read(path)[1]["done"] != 0
    except (ValueError, LookupError):
        worth = path.exists()
    try:
        if worth:
            before.unlink(missing_ok=True)
            os.link(path, before)
    except OSError as error:
        raise unusable(before, error.strerror, "to write there") from None


def claim(path=CHECKPOINT):
    """Keeps other runs out of the folder: the system unlocks the file when this program ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.lockf(os.open(path.with_name("lock"), os.O_RDWR | os.O_CREAT), os.F_TLOCK, 0)
    except BlockingIOError:
        raise unusable(path, "another run at work", "one at a time") from None
    except OSError as error:
        raise unusable(path, error.strerror, "to write there") from None
