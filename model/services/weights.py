"""Weights that other programs have left: JSON and safetensors files, read and checked."""

import json
from pathlib import Path

import numpy as np
from safetensors import safe_open

from model.services.checkpoint import read_file, unusable
from model.vocabulary import read_text

# Numbers as safetensors calls them. numpy has no bfloat16: only its 16 bits.
DTYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "BF16": "<u2"}


def read_json(path, expected):
    """What a JSON file says. Raises ValueError where there is none."""
    try:
        return json.loads(read_text(path))
    except OSError as error:
        raise unusable(path, error.strerror, expected) from None
    except (ValueError, RecursionError):
        raise unusable(path, "another file", expected) from None


def read_weights(folder, rename):
    """{rename(name): array} of model.safetensors, or of the parts (shards) that its index names.

    Raises ValueError where a file is none, or a name comes twice.
    """
    paths, index = [folder / "model.safetensors"], folder / "model.safetensors.index.json"
    if index.exists() and not paths[0].exists():
        try:
            shards = read_json(index, "the names of all weights")["weight_map"].values()
            paths = [folder / Path(shard).name for shard in sorted(set(shards))]
        except (TypeError, LookupError, AttributeError):
            raise unusable(index, "another file", "a weight_map") from None
    weights = {}
    for path in paths:
        for name, array in read_arrays(path, rename):
            if name in weights:
                raise unusable(path, f"{name!r} twice", "one of each name")
            weights[name] = array
    return weights


def read_arrays(path, rename):
    """(rename(name), array) of each array that rename has a name for, as float32.

    What is float32 already stays on the disk until it is used. A bfloat16 is the upper half of a
    float32: 1 bit for the sign, 8 for the exponent, and 7 of the 23 for the digits.
    """
    if path.exists() and not path.is_file():
        raise unusable(path, "a folder or a pipe", "GPT-2's weights")
    read_file(path, "GPT-2's weights", safe_open.get_slice)
    stored = np.memmap(path, mode="r")
    start = 8 + int.from_bytes(stored[:8], "little")
    header = json.loads(stored[8:start].tobytes())
    header.pop("__metadata__", None)
    for name, entry in header.items():
        if rename(name) is None:
            continue
        if entry["dtype"] not in DTYPES or not name.isprintable():
            got = f"{entry['dtype']} for {name!r}"
            raise unusable(path, got, f"one of {list(DTYPES)}, and a name that prints")
        begin, end = entry["data_offsets"]
        array = stored[start + begin : start + end].view(DTYPES[entry["dtype"]])
        if entry["dtype"] == "BF16":
            array = (array.astype(np.uint32) << 16).view(np.float32)
        with np.errstate(over="ignore"):
            array = array.astype(np.float32, copy=False).reshape(entry["shape"])
        if not (abs(array) < 10_000).all():  # nor is NaN
            raise unusable(path, f"NaN or a number beyond 10,000 in {name}", "GPT-2's weights")
        yield rename(name), array
