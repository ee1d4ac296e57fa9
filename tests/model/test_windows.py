import math
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.count import yardsticks
from model.data import Names, Text, load_data
from model.gpt import GPT
from model.train import TEXT_GPT, train

ROOT = Path(__file__).parents[2]
TEXT = "the cat sat on the mat. the hat sat on the cat. " * 40


def test_a_window_and_the_same_one_place_later():
    data = Text(TEXT, T=8)
    x, y = data.batch(random.Random(1), 50)
    assert x.shape == y.shape == (50, 8)
    assert np.array_equal(x[:, 1:], y[:, :-1])
    for row in x:
        assert "".join(data.characters[number] for number in row) in TEXT


def test_windows_start_at_every_place_of_the_text_to_learn_from():
    data = Text("".join(chr(0x4E00 + i) for i in range(200)), T=4)
    x, _ = data.batch(random.Random(1), 5000)
    assert set(x[:, 0]) == set(data.train[: 180 - 4])
    assert len(data.train) == 180 and len(data.held_out) == 20


def test_batches_follow_one_another():
    """Every held-out character but the first is predicted once, up to the last whole window."""
    data = Text(TEXT, T=8)
    xs, ys = zip(*data.batches(held_out=True, size=5))
    count = (len(data.held_out) - 1) // 8 * 8
    assert np.array_equal(np.concatenate(xs).ravel(), data.held_out[:count])
    assert np.array_equal(np.concatenate(ys).ravel(), data.held_out[1 : count + 1])
    assert all(len(x) <= 5 for x in xs)


def test_contexts_of_a_text():
    data = Text(TEXT, T=8)
    contexts, y = data.contexts(held_out=True, memory=2)
    assert np.array_equal(y, data.held_out[2:])
    assert np.array_equal(contexts, np.column_stack((data.held_out[:-2], data.held_out[1:-1])))


def test_yardsticks_of_a_text():
    """Where each character follows from the two before it, triples know nearly everything."""
    data = Text("abac" * 500, T=8)
    losses = {words.split()[0]: float(words.split()[1]) for words in yardsticks(data).split(" · ")}
    assert losses["uniform"] == pytest.approx(math.log(3), abs=1e-3)
    assert losses["letters"] == pytest.approx(1.5 * math.log(2), abs=0.01)
    assert losses["pairs"] == pytest.approx(0.5 * math.log(2), abs=0.01)
    assert losses["triples"] < 0.01


def test_a_model_learns_to_copy_what_repeats():
    data = Text(TEXT, T=8)
    model = GPT(random.Random(1), V=len(data.characters), T=8, C=16, H=2, L=1)
    progress = train(model, data, learning_rate=0.02, steps=150, batch_size=16)
    assert progress.average < 1.2 < math.log(len(data.characters))


def test_load_data(tmp_path):
    assert isinstance(load_data("names"), Names)
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    assert load_data(str(path), T=8).characters == "".join(sorted(set(TEXT)))


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "(No such file or directory); expected names or a text file"),
        (b"\xff\xfe" * 1000, "(not UTF-8 text); expected names or a text file"),
        (b"", "data: got 0 characters; expected 1300 or more"),
        (b"short", "data: got 5 characters; expected 1300 or more"),
    ],
)
def test_unusable_text_gets_one_line(tmp_path, content, message):
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    command = [sys.executable, "-m", "model.train", "--data", str(path)]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert done.stderr.startswith(b"train: data: got ") and message.encode() in done.stderr


def test_training_on_a_text_of_ones_own(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    command = [sys.executable, "-m", "model.train", "--data", str(path), "--steps", "3"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0
    report, counted, *_ = done.stdout.splitlines()
    sizes = GPT(random.Random(1), V=len(set(TEXT)), **TEXT_GPT)
    assert f"{sum(w.data.size for w in sizes.parameters()):,} weights" in report
    assert counted.startswith(f"uniform {math.log(len(set(TEXT))):.3f} · ")


def test_matrices_start_smaller_where_more_is_added_up():
    spread = [
        np.std(GPT(random.Random(1), C=64, scale=s).blocks[0].mlp.up.weight.data)
        for s in (0.1, 0.05)
    ]
    assert spread == pytest.approx([0.1, 0.05], rel=0.05)
