import json
import math
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from model.gpt2 import load_gpt2, published, save_gpt2
from tests.model.test_gpt2 import ROWS, arrays_as_published, change, configure, folder, overwrite

__all__ = ["folder"]  # a fixture
ROOT = Path(__file__).parents[2]
HEAD = "lm_head.weight"
DEEP = b'{"weight_map":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
INDEX = "model.safetensors.index.json"


def split(arrays, names=("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")):
    """Writes every second array into a file of its own, and an index of both."""

    def spoil(folder):
        place = {name: names[k % 2] for k, name in enumerate(sorted(arrays))}
        for file in names:
            some = {name: arrays[name] for name in place if place[name] == file}
            save_file(some, folder / file, {"format": "pt"})
        (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": place}))
        (folder / "model.safetensors").unlink()

    return spoil


def prefixed(arrays):
    return {f"transformer.{name}": x for name, x in arrays.items()}


def only(arrays):
    return lambda folder: save_file(arrays, folder / "model.safetensors")


def both(*changes):
    return lambda folder: [change(folder) for change in changes]


ARRAYS = arrays_as_published()
WTE = ARRAYS["wte.weight"]
MASKS = {f"h.{i}.attn.bias": np.ones((1, 1, 12, 12), bool) for i in range(2)}


@pytest.mark.parametrize(
    "alter",
    [
        configure(n_inner=32),
        configure(n_inner=None, scale_attn_weights=True, model_type="gpt2"),
        configure(activation_function="gelu_pytorch_tanh"),
        configure(reorder_and_upcast_attn=True),
        change({HEAD: WTE}),
        change({f"transformer.{HEAD}": WTE}),
        only(prefixed(ARRAYS) | {HEAD: WTE}),
        both(change({HEAD: WTE}), configure(tie_word_embeddings=False)),
        change(MASKS),
        split(ARRAYS),
        split(prefixed(ARRAYS)),
        lambda folder: (folder / INDEX).write_bytes(DEEP),
    ],
)
def test_other_words_for_the_same_model(folder, alter):
    expected = load_gpt2(folder)[0](ROWS).data
    alter(folder)
    assert np.array_equal(load_gpt2(folder)[0](ROWS).data, expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_numbers_become_float32(folder, dtype):
    arrays = {name: x.astype(dtype) for name, x in ARRAYS.items()}
    only(arrays)(folder)
    for name, array in published(load_gpt2(folder)[0]).items():
        assert array.dtype == np.float32
        assert np.array_equal(array, arrays[name].astype(np.float32))


def write_by_hand(path, dtype, width, arrays):
    """A safetensors file of (shape, bytes), made without the package; bytes left out are 0."""
    header, body, end = {}, b"", 0
    for name, (shape, content) in arrays.items():
        start, end = end, end + math.prod(shape) * width
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
        body += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    os.truncate(path, 8 + len(text) + end)


def test_bfloat16_is_the_upper_half_of_float32(folder):
    bias = np.float32([1, -2.5, 0, -0.0, 2**-130, 9e3, 1 / 3, 7])
    halves = {  # 1 is 0x3f80, -2.5 is 0xc020
        name: (x.shape, (x.view(np.uint32) >> 16).astype("<u2").tobytes())
        for name, x in (ARRAYS | {"ln_f.bias": bias}).items()
    }
    write_by_hand(folder / "model.safetensors", "BF16", 2, halves)
    found = load_gpt2(folder)[0].ln_f.bias.data
    assert found[:4].tobytes() == bias[:4].tobytes() and found[4] == bias[4]
    np.testing.assert_allclose(found, bias, rtol=2**-7)
    assert not np.array_equal(found, bias)


def test_bfloat16_as_torch_converts_it(folder):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save_tensors

    halves = {name: torch.tensor(x).bfloat16() for name, x in ARRAYS.items()}
    save_tensors(halves, folder / "model.safetensors")
    for name, array in published(load_gpt2(folder)[0]).items():
        assert array.tobytes() == halves[name].float().numpy().tobytes()


def test_the_export_names_the_mark_of_a_text(folder, tmp_path):
    model, tokenizer = load_gpt2(folder)
    save_gpt2(model, tmp_path / "back")
    config = json.loads((tmp_path / "back/config.json").read_text())
    assert config["bos_token_id"] == config["eos_token_id"] == tokenizer.end == 265
    assert config["scale_attn_weights"] is True and config["n_inner"] is None


def pipe(name):
    def spoil(folder):
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return spoil


def without_file(name, then):
    return lambda folder: ((folder / name).unlink(), then(folder))


def nan(value, dtype=np.float32):
    bias = np.zeros(8, dtype)
    bias[3] = value
    return change({"ln_f.bias": bias})


def shard_map(*shards):
    content = json.dumps({"weight_map": dict(enumerate(shards))}).encode()
    return without_file("model.safetensors", overwrite(INDEX, content))


RED = "h\x1b[31m.0\r"


@pytest.mark.parametrize(
    "spoil, message",
    [
        (
            configure(scale_attn_by_inverse_layer_idx=True),
            "{'scale_attn_by_inverse_layer_idx': True}",
        ),
        (configure(scale_attn_weights=False), "{'scale_attn_weights': False}"),
        (configure(add_cross_attention=True), "{'add_cross_attention': True}"),
        (configure(model_type="openai-gpt"), "{'model_type': 'openai-gpt'}"),
        (configure(activation_function="gelu"), "{'activation_function': 'gelu'}"),
        (configure(activation_function="\x1b[31m"), r"{'activation_function': '\x1b[31m'}"),
        (configure(layer_norm_epsilon=float("nan")), "{'layer_norm_epsilon': nan}"),
        (configure(n_inner=16), "got {'n_inner': 16} at"),
        (configure(n_inner=[8]), "got {'n_inner': [8]} at"),
        (configure(n_layer=10**9), "expected {'wte': (266, 8), 'wpe': (12, 8), 'h': 2}"),
        (configure(n_positions=10**12), "'wpe': (1000000000000, 8)"),
        (configure(n_embd=10**9), "'wte': (266, 1000000000)"),
        (configure(n_head=-2), "config.json; expected ['vocab_size'"),
        (configure(n_head=2.0), "config.json; expected ['vocab_size'"),
        (configure(n_layer=True), "config.json; expected ['vocab_size'"),
        (configure(n_head=3), "got 8 channels for 3 heads"),
        (configure(tie_word_embeddings=False), "got a head of its own, not wte.weight, at"),
        (change({HEAD: WTE + 1}), "got a head of its own, not wte.weight, at"),
        (change({f"transformer.{HEAD}": WTE[1:]}), "got a head of its own, not wte.weight, at"),
        (change({"transformer.wpe.weight": WTE}), "got 'wpe.weight' twice at"),
        (change({"ln_f.bias": np.zeros(8, np.int32)}), "got I32 for 'ln_f.bias' at"),
        (change({RED: np.zeros(8, np.float32)}), r"got F32 for 'h\x1b[31m.0\r' at"),
        (change({RED: np.zeros(8, np.int32)}), r"got I32 for 'h\x1b[31m.0\r' at"),
        (nan(np.nan), "got NaN or a number beyond 10,000 in ln_f.bias at"),
        (nan(-1e4), "got NaN or a number beyond 10,000 in ln_f.bias at"),
        (nan(-np.inf), "got NaN or a number beyond 10,000 in ln_f.bias at"),
        (nan(1e300, np.float64), "got NaN or a number beyond 10,000 in ln_f.bias at"),
        (overwrite("config.json", DEEP), "got another file at"),
        (overwrite("config.json", b"[]"), "got another file at"),
        (overwrite("config.json", b"\xff"), "got another file at"),
        (overwrite("config.json", b"1" * 10_000), "got another file at"),
        (overwrite("merges.txt", b"#version\n" + b"\x1b[31m\n"), "got line 2 of"),
        (overwrite("model.safetensors", b""), "got a damaged or foreign file at"),
        (pipe("config.json"), "got a folder or a pipe at"),
        (pipe("merges.txt"), "got a folder or a pipe at"),
        (pipe("model.safetensors"), "got a folder or a pipe at"),
        (without_file("model.safetensors", pipe(INDEX)), "got a folder or a pipe at"),
        (without_file("model.safetensors", overwrite(INDEX, DEEP)), "got another file at"),
        (without_file("model.safetensors", overwrite(INDEX, b"{}")), "expected a weight_map"),
        (without_file("model.safetensors", overwrite(INDEX, b"[1]")), "expected a weight_map"),
        (shard_map(1, 2), "expected a weight_map"),
        (shard_map("gone.safetensors"), "gone.safetensors; expected GPT-2's weights"),
        (shard_map("../../model.safetensors"), "/model.safetensors; expected GPT-2's weights"),
        (split(ARRAYS | MASKS | {HEAD: 2 * WTE}), "got a head of its own, not wte.weight, at"),
    ],
)
def test_another_model_or_a_spoilt_file_gets_one_line(folder, spoil, message):
    spoil(folder)
    before = {path: path.is_file() and path.read_bytes() for path in folder.iterdir()}
    command = [sys.executable, "-m", "model.sample", "--weights", str(folder)]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert message in done.stderr and done.stderr[:-1].isprintable()
    assert before == {path: path.is_file() and path.read_bytes() for path in folder.iterdir()}


LITTLE = """
import resource, sys
from model import sample
(line,) = [line for line in open("/proc/self/status") if line.startswith("VmSize")]
room = 1024 * int(line.split()[1]) + 2**20 * int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_AS, (room, room))
sample.run_program(sample.main)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="Linux has it")
@pytest.mark.parametrize("megabytes", ["300", "900"])
def test_more_weights_than_the_memory_holds(folder, megabytes):
    """wpe has 400 MB here: more than can be mapped, then more than can be checked and copied."""
    T = 12_500_000
    arrays = {name: (x.shape, x.tobytes()) for name, x in ARRAYS.items() if name != "wpe.weight"}
    arrays["wpe.weight"] = (T, 8), b""
    write_by_hand(folder / "model.safetensors", "F32", 4, arrays)
    configure(n_positions=T)(folder)
    command = [sys.executable, "-c", LITTLE, megabytes, "--weights", str(folder)]
    done = subprocess.run(
        command,
        env={"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "got more weights than the memory holds at" in done.stderr
