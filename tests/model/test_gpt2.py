import json
import random
import struct
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from engine.ops import cross_entropy
from model.gpt import CONFIGS, GPT, GPTConfig
from model.gpt2 import load_gpt2, published, save_gpt2
from model.sample import continuation, sample_text, stream_text
from tests.compare import assert_close
from tests.model.test_vocabulary import FIRST
from tests.program import TRAIN

ROOT = Path(__file__).parents[2]
# A small vocabulary: the 256 bytes, the merges of FIRST, the end of a text.
CONFIG = GPTConfig(V=266, T=12, C=8, H=2, L=2)
ROWS = np.random.default_rng(1).integers(0, CONFIG.V, (3, 11))


def arrays_as_published():
    """Random weights as a published file holds them: (inputs, outputs), and with its masks."""
    rng, C, L = np.random.default_rng(2), CONFIG.C, CONFIG.L
    shapes = {"wte.weight": (CONFIG.V, C), "wpe.weight": (CONFIG.T, C)}
    for i in range(L):
        for part, shape in [
            ("ln_1", (C,)),
            ("attn.c_attn", (C, 3 * C)),
            ("attn.c_proj", (C, C)),
            ("ln_2", (C,)),
            ("mlp.c_fc", (C, 4 * C)),
            ("mlp.c_proj", (4 * C, C)),
        ]:
            shapes |= {f"h.{i}.{part}.weight": shape, f"h.{i}.{part}.bias": shape[-1:]}
    shapes |= {"ln_f.weight": (C,), "ln_f.bias": (C,)}
    found = {name: rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    for i in range(L):
        found[f"h.{i}.attn.bias"] = np.tri(CONFIG.T, dtype=np.float32)[None, None]
        found[f"h.{i}.attn.masked_bias"] = np.array(-1e4, np.float32)
    return found


@pytest.fixture
def folder(tmp_path):
    """The three files, as they are published."""
    config = {"vocab_size": 266, "n_positions": 12, "n_embd": 8, "n_head": 2, "n_layer": 2}
    (tmp_path / "config.json").write_text(json.dumps(config | {"resid_pdrop": 0.1}))
    (tmp_path / "merges.txt").write_text(FIRST, encoding="utf-8")
    save_file(arrays_as_published(), tmp_path / "model.safetensors", {"format": "pt"})
    return tmp_path


def torch_loss_and_gradients(arrays, rows, dtype):
    """(logits, {name: gradient}) of GPT-2 written with torch, straight from the file's arrays."""
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    w = {k: torch.tensor(x, dtype=dtype, requires_grad=True) for k, x in arrays.items()}
    rows = torch.tensor(rows)
    B, T = rows[:, :-1].shape
    C, H = CONFIG.C, CONFIG.H

    def layernorm(x, name):
        return F.layer_norm(x, (C,), w[f"{name}.weight"], w[f"{name}.bias"], 1e-5)

    def layer(x, name):
        return x @ w[f"{name}.weight"] + w[f"{name}.bias"]

    x = w["wte.weight"][rows[:, :-1]] + w["wpe.weight"][:T]
    for i in range(CONFIG.L):
        q, k, v = layer(layernorm(x, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn").split(C, dim=2)
        q, k, v = (y.view(B, T, H, C // H).transpose(1, 2) for y in (q, k, v))
        scores = q @ k.transpose(2, 3) / (C // H) ** 0.5
        hidden = torch.triu(torch.ones(T, T, dtype=torch.bool), 1)
        y = scores.masked_fill(hidden, -torch.inf).softmax(-1) @ v
        x = x + layer(y.transpose(1, 2).reshape(B, T, C), f"h.{i}.attn.c_proj")
        y = F.gelu(layer(layernorm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc"), approximate="tanh")
        x = x + layer(y, f"h.{i}.mlp.c_proj")
    logits = layernorm(x, "ln_f") @ w["wte.weight"].T
    F.cross_entropy(logits.reshape(B * T, -1), rows[:, 1:].reshape(-1)).backward()
    return logits.detach().numpy(), {k: x.grad.numpy() for k, x in w.items() if x.grad is not None}


@pytest.mark.parametrize("dtype, kind", [("float32", "published"), ("float64", "float64")])
def test_logits_and_all_gradients_are_those_of_a_torch_gpt2(folder, dtype, kind):
    torch = pytest.importorskip("torch")
    expected, gradients = torch_loss_and_gradients(
        arrays_as_published(), ROWS, getattr(torch, dtype)
    )
    model, _ = load_gpt2(folder)
    logits = model.to(dtype)(ROWS[:, :-1])
    cross_entropy(logits, ROWS[:, 1:]).backward()
    assert_close(logits.data, expected, kind)
    for weight in model.parameters():
        weight.data = weight.grad
    found = published(model)
    assert found.keys() == gradients.keys()
    for name in found:
        assert_close(found[name], gradients[name], kind)


def test_every_array_goes_back_byte_for_byte(folder, tmp_path):
    model, _ = load_gpt2(folder)
    back = tmp_path / "back"
    save_gpt2(model, back)
    expected, found = load_file(folder / "model.safetensors"), load_file(back / "model.safetensors")
    masks = {name for name in expected if name.endswith((".attn.bias", ".masked_bias"))}
    assert found.keys() == expected.keys() - masks and len(masks) == 4
    for name, array in found.items():
        assert array.tobytes() == expected[name].tobytes() and array.shape == expected[name].shape
    (back / "merges.txt").write_bytes((folder / "merges.txt").read_bytes())
    again, _ = load_gpt2(back)
    assert again.config == model.config == CONFIG
    assert np.array_equal(again(ROWS).data, model(ROWS).data)


def test_as_many_blocks_as_gpt2_has(tmp_path):
    """Twelve, with their masks: h.10 and h.11 have two digits."""
    model = GPT(random.Random(1), GPTConfig(V=266, T=12, C=8, H=2, L=12)).to(np.float32)
    save_gpt2(model, tmp_path)
    (tmp_path / "merges.txt").write_text(FIRST, encoding="utf-8")
    path = tmp_path / "model.safetensors"
    masks = {f"h.{i}.attn.bias": np.ones((1, 1, 12, 12), np.float32) for i in range(12)}
    save_file(load_file(path) | masks, path, {"format": "pt"})
    assert np.array_equal(load_gpt2(tmp_path)[0](ROWS).data, model(ROWS).data)


def test_a_text_without_a_prompt_begins_at_the_end_of_another(folder):
    model, tokenizer = load_gpt2(folder)
    from_end = continuation(model, random.Random(1), [tokenizer.end], 9, stop=tokenizer.end)
    expected = tokenizer.decode(list(from_end)).decode(errors="replace")
    assert sample_text(model, random.Random(1), tokenizer, 9) == expected


def test_train_takes_a_model_by_its_name(tmp_path):
    command = [*TRAIN, "--data", "names", "--model", "tiny"]
    done = subprocess.run(
        [*command, "--steps", "1"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    size = sum(w.data.size for w in GPT(None, CONFIGS["tiny"]).parameters())
    assert f" · {size:,} weights · " in done.stdout


def test_names_with_a_prefix_are_those_without(folder):
    """As the package transformers saves a model that was trained further."""
    arrays = {f"transformer.{name}": x for name, x in arrays_as_published().items()}
    expected = load_gpt2(folder)[0](ROWS).data
    save_file(arrays, folder / "model.safetensors", {"format": "pt"})
    assert np.array_equal(load_gpt2(folder)[0](ROWS).data, expected)


def test_text_comes_piece_by_piece_and_ends_where_the_model_ends_it(folder):
    model, tokenizer = load_gpt2(folder)
    pieces = list(stream_text(model, random.Random(1), tokenizer, 30, "the ü"))
    assert len(pieces) > 10 and pieces[0] == "the ü"
    assert "".join(pieces) == sample_text(model, random.Random(1), tokenizer, 30, "the ü")
    # A head that gives the end of the text most, wherever it is.
    model.tok_emb.data[:] = 0
    model.tok_emb.data[tokenizer.end] = 100 * model.ln_f.bias.data
    assert sample_text(model, random.Random(1), tokenizer, 30, "the", top_k=1) == "the"


def change(arrays):
    return lambda folder: save_file(arrays_as_published() | arrays, folder / "model.safetensors")


def without(name):
    def spoil(folder):
        arrays = arrays_as_published()
        del arrays[name]
        save_file(arrays, folder / "model.safetensors")

    return spoil


def configure(**changes):
    def spoil(folder):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return spoil


def overwrite(name, content):
    return lambda folder: (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    "spoil, message",
    [
        (
            without("h.1.mlp.c_fc.bias"),
            "got None for h.1.mlp.c_fc.bias; expected ((32,), 'float32')",
        ),
        (
            change({"lm.head": np.zeros(2, np.float32)}),
            "got ((2,), 'float32') for lm.head; expected",
        ),
        (
            change({"h.0.attn.c_attn.weight": np.zeros((24, 8), np.float32)}),
            "got ((24, 8), 'float32') for h.0.attn.c_attn.weight; expected ((8, 24), 'float32')",
        ),
        (change({"ln_f.bias": np.zeros(8, int)}), "got I64 for 'ln_f.bias' at"),
        (
            overwrite("model.safetensors", struct.pack("<Q", 2**50) + b"{}"),
            "got a damaged or foreign file at",
        ),
        (lambda folder: (folder / "model.safetensors").unlink(), "got no file at"),
        (overwrite("config.json", b"{}"), "config.json; expected ['vocab_size', 'n_positions'"),
        (overwrite("config.json", b"?"), "config.json; expected GPT-2's configuration"),
        (configure(n_layer=0), "config.json; expected ['vocab_size', 'n_positions'"),
        (configure(n_head=0), "config.json; expected ['vocab_size', 'n_positions'"),
        (configure(activation_function="relu"), "got {'activation_function': 'relu'} at "),
        (configure(layer_norm_epsilon=1e-6), "got {'layer_norm_epsilon': 1e-06} at "),
        (lambda folder: (folder / "config.json").unlink(), "got No such file or directory at"),
        (lambda folder: (folder / "merges.txt").unlink(), "expected GPT-2's merges.txt"),
        (overwrite("merges.txt", b"#version: 0.2\nh e\n"), "got a vocabulary of 258 at"),
    ],
)
def test_files_that_do_not_fit_are_refused_by_name(folder, spoil, message):
    spoil(folder)
    command = [sys.executable, "-m", "model.sample", "--weights", str(folder)]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert message in done.stderr


def test_sample_with_weights_of_gpt2(folder):
    command = [
        sys.executable,
        "-m",
        "model.sample",
        "--weights",
        str(folder),
        "--prompt",
        "the tin",
    ]
    command += ["--length", "20", "--top-k", "5", "--top-p", "0.9"]
    outs = [
        subprocess.run(
            command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert outs[0] == outs[1] and outs[0].startswith(b"the tin")


@pytest.mark.parametrize(
    "name, count",
    [
        ("gpt2", 124_439_808),
        ("gpt2-medium", 354_823_168),
        ("gpt2-large", 774_030_080),
        ("gpt2-xl", 1_557_611_200),
    ],
)
def test_the_four_published_sizes(name, count):
    """Weights: (V + T) * C for the tables, 12 * C ** 2 + 13 * C a block, 2 * C at the end."""
    V, T, C, H, L, *_ = astuple(CONFIGS[name])
    assert count == (V + T) * C + L * (12 * C * C + 13 * C) + 2 * C
    assert C // H == 64
    small = GPT(None, GPTConfig(V=50, T=6, C=8, H=2, L=3))
    formula = (50 + 6) * 8 + 3 * (12 * 64 + 13 * 8) + 2 * 8
    assert sum(w.data.size for w in small.parameters()) == formula


def test_a_model_without_random_numbers_is_all_zeros():
    model = GPT(None, CONFIG)
    assert {x for w in model.blocks[0].mlp.parameters() for x in w.data.ravel()} == {0.0}
