"""GPT-2's weights: a file of arrays with names of its own, for the model that is here already."""

import json
import re
from pathlib import Path

import numpy as np

from model.checkpoint import fill, read_file, unusable, write
from model.download import fetch
from model.gpt import GPT
from model.vocabulary import read_vocabulary

# Ours and theirs, in this order: blocks.3.mlp.up.weight becomes h.3.mlp.c_fc.weight.
NAMES = {
    "tok_emb": "wte.weight",
    "pos_emb": "wpe.weight",
    "blocks.": "h.",
    "attn.qkv": "attn.c_attn",
}
NAMES |= {"attn.proj": "attn.c_proj", "mlp.up": "mlp.c_fc", "mlp.down": "mlp.c_proj"}
# What GPT-2's configuration calls our sizes.
SIZES = {"V": "vocab_size", "T": "n_positions", "C": "n_embd", "H": "n_head", "L": "n_layer"}
# What `--weights gpt2` downloads: sizes in bytes and sha256.
URL = (
    "https://huggingface.co/openai-community/gpt2/resolve/607a30d783dfa663caf39e06633721c8d4cfcd7e/"
)
FILES = {
    "config.json": (665, "0daed7749b4f02b8f76240d5444551d7b08712dab4d0adb8239c56ba823bb7b4"),
    "merges.txt": (456_318, "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"),
    "model.safetensors": (
        548_105_171,
        "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707",
    ),
}
# What it may say otherwise, and this model cannot.
FIXED = {"activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "n_inner": None}
# Masks that its file holds beside the weights.
BUFFERS = re.compile(r"h\.\d+\.attn\.(masked_)?bias")


def published(model):
    """{name: array}: the model's weights under GPT-2's names, as GPT-2's shapes, not copied.

    Its layers are stored as (inputs, outputs), ours as (outputs, inputs). The head is tok_emb
    again and has no name.
    """
    found = {}
    for name, weight in model.named_parameters():
        for ours, theirs in NAMES.items():
            name = name.replace(ours, theirs)
        found[name] = weight.data.T if ".c_" in name else weight.data
    return found


def find(name, url=URL, folder=Path("runs/gpt2")):
    """The folder that --weights names; "gpt2" is one with the published files, downloaded once."""
    if name != "gpt2":
        return Path(name)
    try:
        for file, (size, digest) in FILES.items():
            fetch(url + file, folder / file, size, digest)
    except ValueError as error:
        raise ValueError(f"{error}; {', '.join(FILES)} belong into {folder}") from None
    return folder


def load_gpt2(folder):
    """(model, tokenizer) from a folder with config.json, model.safetensors and merges.txt.

    Raises ValueError where one of them cannot be had, or does not fit the others.
    """
    tokenizer, place = read_vocabulary(folder / "merges.txt"), folder / "config.json"
    try:
        config = json.loads(place.read_text())
        other = {
            name: config[name] for name in FIXED if config.get(name, FIXED[name]) != FIXED[name]
        }
        if other:
            raise unusable(place, other, f"{FIXED}, as here")
        model = GPT(None, **{ours: config[theirs] for ours, theirs in SIZES.items()}).to(np.float32)
    except OSError as error:
        raise unusable(place, error.strerror, "GPT-2's configuration") from None
    except (
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        MemoryError,
        json.JSONDecodeError,
    ):
        raise unusable(place, "another file", f"{list(SIZES.values())}") from None
    if model.sizes["V"] != tokenizer.V:
        got = f"a vocabulary of {tokenizer.V}"
        raise unusable(folder / "merges.txt", got, f"{model.sizes['V']}, as in config.json")
    arrays, _ = read_file(folder / "model.safetensors", "GPT-2's weights")
    arrays = {name.removeprefix("transformer."): array for name, array in arrays.items()}
    weights = {name: x for name, x in arrays.items() if not BUFFERS.fullmatch(name)}
    fill(published(model), weights)
    return model.eval(), tokenizer


def save_gpt2(model, folder):
    """Writes config.json and model.safetensors, as load_gpt2 and others read them."""
    arrays = {name: np.ascontiguousarray(array) for name, array in published(model).items()}
    write(folder / "model.safetensors", arrays, {})
    config = {"model_type": "gpt2", **{SIZES[key]: size for key, size in model.sizes.items()}}
    (folder / "config.json").write_text(json.dumps(config | FIXED, indent=2) + "\n")
