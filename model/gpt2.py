"""GPT-2's weights: a file of arrays with names of its own, for the model that is here already."""

import json
import re
from pathlib import Path

import numpy as np

from model.gpt import GPT, GPTConfig
from model.services.checkpoint import load_state_dict, unusable, write
from model.services.download import fetch
from model.services.weights import read_json, read_weights
from model.vocabulary import read_vocabulary

# Ours and theirs, in this order: blocks.3.mlp.up.weight becomes h.3.mlp.c_fc.weight.
GPT2_NAMES = {
    "tok_emb": "wte.weight",
    "pos_emb": "wpe.weight",
    "blocks.": "h.",
    "attn.qkv": "attn.c_attn",
}
GPT2_NAMES |= {"attn.proj": "attn.c_proj", "mlp.up": "mlp.c_fc", "mlp.down": "mlp.c_proj"}
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
# What else changes the arithmetic: what this model computes, and other words for the same.
FIXED = {
    "model_type": ["gpt2"],
    "activation_function": ["gelu_new", "gelu_pytorch_tanh"],
    "layer_norm_epsilon": [1e-5],
    "n_inner": [None],
    "scale_attn_weights": [True],
    "scale_attn_by_inverse_layer_idx": [False],
    "add_cross_attention": [False],
}
# Masks that its file holds beside the weights.
BUFFERS = re.compile(r"h\.\d+\.attn\.(masked_)?bias")


def published(model):
    """{name: array}: the model's weights under GPT-2's names, as GPT-2's shapes, not copied.

    Its layers are stored as (inputs, outputs), ours as (outputs, inputs). The head is tok_emb
    again and has no name.
    """
    found = {}
    for name, weight in model.named_parameters():
        for ours, theirs in GPT2_NAMES.items():
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
    config, tied = read_config(place)
    if config.V != tokenizer.V:
        got = f"a vocabulary of {tokenizer.V}"
        raise unusable(folder / "merges.txt", got, f"{config.V}, as in config.json")
    try:
        weights = read_weights(folder, rename)
        check_sizes(config, weights, place)
        wte = weights["wte.weight"]
        if not np.array_equal(weights.pop("lm_head.weight", wte if tied else None), wte):
            raise unusable(folder, "a head of its own, not wte.weight,", "a tied head")
        model = GPT(None, config).to(np.float32)
        load_state_dict(published(model), weights)
    except (MemoryError, OSError):
        raise unusable(folder, "more weights than the memory holds", "fewer") from None
    return model.eval(), tokenizer


def read_config(path):
    """(GPTConfig, whether the head is tied) of a model that computes as this one does.

    Raises ValueError where the file describes another one.
    """
    config = read_json(path, "GPT-2's configuration")
    try:
        sizes = {ours: config[theirs] for ours, theirs in SIZES.items()}
        whole = all(type(size) is int and size > 0 for size in sizes.values())
        fixed = FIXED | {"n_inner": [None, 4 * sizes["C"]]}
        same = {
            name: fixed[name]
            for name in fixed
            if config.get(name, fixed[name][0]) not in fixed[name]
        }
        got = str({name: config[name] for name in same})
    except (TypeError, LookupError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise unusable(path, "another file", f"{list(SIZES.values())}")
    if same:
        raise unusable(path, got, f"{same}")
    return GPTConfig(**sizes), config.get("tie_word_embeddings", True)


def check_sizes(config, weights, path):
    """Raises ValueError where the weights have other sizes, before room is made for these."""
    expected = {"wte": (config.V, config.C), "wpe": (config.T, config.C), "h": config.L}
    got = {name: getattr(weights.get(f"{name}.weight"), "shape", None) for name in ("wte", "wpe")}
    got["h"] = len({name.split(".")[1] for name in weights if name.startswith("h.")})
    if got != expected:
        raise unusable(path, f"{expected}", f"{got}, as the weights have it")


def rename(name):
    """The name of a weight, however it is stored; none for a mask."""
    name = name.removeprefix("transformer.")
    return None if BUFFERS.fullmatch(name) else name


def save_gpt2(model, folder):
    """Writes config.json and model.safetensors, as load_gpt2 and others read them.

    The last token is the mark that begins and ends a text, as in GPT-2's vocabulary.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in published(model).items()}
    write(folder / "model.safetensors", arrays, {})
    config = {theirs: getattr(model.config, ours) for ours, theirs in SIZES.items()}
    config |= {name: same[0] for name, same in FIXED.items()}
    config |= dict.fromkeys(("bos_token_id", "eos_token_id"), model.config.V - 1)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
