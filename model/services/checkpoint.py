"""A training run on disk: all that its next step depends on, in one safetensors file."""

import hashlib
import json
import os
import random
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from model import STEP
from model.data import Letters
from model.gpt import GPT, GPTConfig
from model.services.watch import LOG
from model.tokenizer import Tokenizer

CHECKPOINT = Path("runs/checkpoint.safetensors")
TOKENIZERS = {"letters": Letters, "pieces": Tokenizer}
LEFT = f"what make train leaves at {STEP}"


def write(path, arrays, state):
    """Named arrays, and in the file's header a state as JSON: the whole of them or nothing.

    The new file is made beside the old one and forced onto the disk; then it takes the old one's
    name. At any moment a whole file has that name. Raises ValueError where there is no room, or
    no leave to write.
    """
    beside, text = path.with_suffix(".new"), json.dumps(state)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "wb") as file:
            # The format is what readers of other programs ask for.
            header = {"format": "pt", "state": text, "checksum": checksum(text, arrays)}
            file.write(save(arrays, header))
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
        text, expected = metadata["state"], metadata["checksum"]
        state = json.loads(text)
        step = state["step"]
    except (ValueError, TypeError, LookupError, RecursionError):
        raise unusable(path, "a damaged or foreign file") from None
    if step != STEP:
        raise unusable(path, f"one of {step}")
    if checksum(text, arrays) != expected:
        raise unusable(path, "another checksum than was written")
    return arrays, state


def checksum(text, arrays):
    """SHA-256 of a state's text and of all numbers: another one where a single bit is another."""
    sha256 = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        sha256.update(arrays[name].tobytes())
    return sha256.hexdigest()


def read_file(path, expected, get=safe_open.get_tensor):
    """(arrays, metadata) of a safetensors file, each array as `get` takes it from there.

    Raises ValueError where it is none.
    """
    try:
        if path.exists() and not path.is_file():  # to read a pipe is to wait for its writer
            raise ValueError
        path.open("rb").close()  # safe_open says "no such file" of one that it may not read
        with safe_open(path, "numpy") as file:
            return {name: get(file, name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    except FileNotFoundError:
        raise unusable(path, "no file", expected) from None
    except PermissionError as error:
        raise unusable(path, error.strerror, expected) from None
    except (OSError, SafetensorError, ValueError, TypeError):
        raise unusable(path, "a damaged or foreign file", expected) from None


def unusable(path, got, expected=LEFT):
    return ValueError(f"checkpoint: got {got} at {path}; expected {expected}")


def load_state_dict(places, arrays):
    """Copies each array to the place of its name, as the method of PyTorch's Modules does.

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
        config, count = GPTConfig(**state["config"]), sum(x.size for x in arrays.values())
        # A model larger than the file could take all memory before shapes are compared.
        if count < config.C * (config.V + config.T + config.L * config.C):
            raise ValueError
        model = GPT(random.Random(0), config).to("float32")
        kind, *merges = state["tokenizer"]
        tokenizer = TOKENIZERS[kind](*merges)
    except (ValueError, TypeError, LookupError, ArithmeticError, MemoryError):
        raise unusable(path, "a damaged state") from None
    weights = {f"weight.{name}": weight.data for name, weight in model.named_parameters()}
    load_state_dict(weights, {name: x for name, x in arrays.items() if name.startswith("weight.")})
    for name, x in weights.items():
        if not (abs(x) < 10_000).all():  # nor is NaN
            raise unusable(path, f"NaN or a number beyond 10,000 in {name}")
    return model.eval(), tokenizer


def set_aside(path=CHECKPOINT, log=LOG):
    """Gives the checkpoint and its log second names, before.safetensors and before.jsonl, until
    the next new run begins.

    A run that ended before any step of it was saved leaves nothing worth that name.
    """
    try:
        worth = read(path)[1]["done"] != 0
    except (ValueError, LookupError):
        worth = True
    try:
        for file in (path, log) if worth else ():
            before = file.with_stem("before")
            if file.is_file():
                before.unlink(missing_ok=True)
                os.link(file, before)
    except OSError as error:
        raise unusable(before, error.strerror, "to write there") from None


def lock(path=CHECKPOINT):
    """Keeps other runs out of the folder: the system unlocks the file when this program ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.lockf(os.open(path.with_name("lock"), os.O_RDWR | os.O_CREAT), os.F_TLOCK, 0)
    except BlockingIOError:
        raise unusable(path, "another run at work", "one at a time") from None
    except OSError as error:
        raise unusable(path, error.strerror, "to write there") from None
