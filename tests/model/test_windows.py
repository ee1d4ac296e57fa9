import math
import random
import re
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.count import bits_per_byte, yardsticks
from model.data import Names, Text, load_data, shakespeare
from model.gpt import CONFIGS, GPT, GPTConfig
from model.run import Run
from model.train import train
from tests.program import TRAIN

ROOT = Path(__file__).parents[2]
TEXT = "the cat sat on the mat. the hat sat on the cat. " * 80


def test_a_window_and_the_same_one_place_later():
    data = Text(TEXT, T=8)
    x, y = data.batch(random.Random(1), 50)
    assert x.shape == y.shape == (50, 8)
    assert np.array_equal(x[:, 1:], y[:, :-1])
    for row in x:
        assert data.tokenizer.decode(row).decode() in TEXT


def test_windows_start_at_every_place_of_the_text_to_learn_from():
    data = Text("".join(chr(i) for i in range(120)), T=4)
    x, _ = data.batch(random.Random(1), 5000)
    assert set(x[:, 0]) == set(data.train[: 108 - 4])
    assert len(data.train) == 108 and len(data.held_out) == 12


def test_batches_follow_one_another():
    """Every held-out character but the first is predicted once, up to the last whole window."""
    data = Text(TEXT, T=8)
    xs, ys = zip(*data.batches(held_out=True, size=5))
    count = (len(data.held_out) - 1) // 8 * 8
    assert np.array_equal(np.concatenate(xs).ravel(), data.held_out[:count])
    assert np.array_equal(np.concatenate(ys).ravel(), data.held_out[1 : count + 1])
    assert all(len(x) <= 5 for x in xs)


def test_contexts_of_a_text():
    """Bytes, whatever the tokens are, numbered in order."""
    data = Text(TEXT, T=8, merges=5)
    contexts, y = data.contexts(held_out=True, memory=2)
    kinds = sorted(set(TEXT))
    numbers = [kinds.index(c) for c in TEXT[len(TEXT) * 9 // 10 :]]
    assert np.array_equal(y, numbers[2:])
    assert np.array_equal(contexts, np.column_stack((numbers[:-2], numbers[1:-1])))


def test_yardsticks_of_a_text():
    """Where each character follows from the two before it, triples know nearly everything."""
    data = Text("abac" * 500, T=8)
    losses = {words.split()[0]: float(words.split()[1]) for words in yardsticks(data).split(" · ")}
    assert losses["uniform"] == pytest.approx(math.log2(3), abs=1e-3)
    assert losses["letters"] == pytest.approx(1.5, abs=0.01)
    assert losses["pairs"] == pytest.approx(0.5, abs=0.01)
    assert losses["triples"] < 0.01


def test_a_model_learns_to_copy_what_repeats():
    data = Text(TEXT, T=8)
    model = GPT(random.Random(1), GPTConfig(V=data.V, T=8, C=16, H=2, L=1))
    progress = train(Run(model, data, {"learning_rate": 0.02, "steps": 300, "batch_size": 16}))
    assert progress.average < 1.2 < math.log(len(set(TEXT)))


def test_load_data(tmp_path):
    assert isinstance(load_data("names"), Names)
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    data = load_data(str(path), T=8)
    assert data.tokenizer.decode([*data.train, *data.held_out]).decode() == TEXT


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "(No such file or directory); expected names, stories, shakespeare, or a text file"),
        (
            b"\xff\xfe" * 1000,
            "(not UTF-8 text); expected names, stories, shakespeare, or a text file",
        ),
        (b"", "data: got 0 tokens held out; expected 258 or more"),
        (b"short", "data: got 1 tokens held out; expected 258 or more"),
    ],
)
def test_unusable_text_gets_one_line(tmp_path, content, message):
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    command = [*TRAIN, "--data", str(path)]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert done.stderr.startswith(b"train: data: got ") and message.encode() in done.stderr


def test_training_on_a_text_of_ones_own(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    command = [*TRAIN, "--data", str(path), "--steps", "3"]
    command += ["--merges", "2"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0
    report, _, _, counted, *_ = done.stdout.splitlines()
    sizes = GPT(random.Random(1), replace(CONFIGS["stories"], V=258))
    assert f"{sum(w.data.size for w in sizes.parameters()):,} weights" in report
    assert counted.startswith(f"uniform {math.log2(len(set(TEXT))):.3f} · ")
    held_out, bits = (float(re.search(rf"{x} ([0-9.]+)", report)[1]) for x in ("out", "byte"))
    data = Text(TEXT, T=64, merges=2)
    expected = bits_per_byte(held_out, data.batches(held_out=True), data)
    assert bits == pytest.approx(expected, abs=2e-4)


def test_matrices_start_smaller_where_more_is_added_up():
    spread = [
        np.std(GPT(random.Random(1), GPTConfig(C=64, scale=s)).blocks[0].mlp.up.weight.data)
        for s in (0.1, 0.05)
    ]
    assert spread == pytest.approx([0.1, 0.05], rel=0.05)


def test_four_million_characters_of_stories():
    data = load_data("stories", T=64)
    assert data.alphabet == 72
    assert len(data.train) + len(data.held_out) == 4_000_000
    assert yardsticks(data).endswith(" · floor 0.235 bits per byte")


@pytest.mark.parametrize("content, message", [(None, "refused.* from"), (b"To be", "got sha256")])
def test_shakespeare_that_cannot_be_had_or_is_not_what_was_expected(tmp_path, content, message):
    path = tmp_path / "runs/shakespeare.txt"
    if content:
        path.parent.mkdir()
        path.write_bytes(content)
    with pytest.raises(ValueError, match=f"download: .*{message}.*; expected"):
        shakespeare("http://localhost:1/nothing", path)


def test_a_download_that_is_not_shakespeare_is_not_kept(tmp_path):
    source, path = tmp_path / "login.html", tmp_path / "runs/shakespeare.txt"
    source.write_text("please log in")
    with pytest.raises(ValueError, match=r"got 13 bytes from file:.*; expected 1,115,394"):
        shakespeare(source.as_uri(), path)
    assert not path.exists()


@pytest.fixture
def answering():
    """answering(content): the address of a server that sends this to all who ask, and then goes.

    answering.broken counts those who did not want all of it.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve(content):
            def answer(to):
                try:
                    with to:
                        to.recv(10_000)
                        to.sendall(content)
                except ConnectionError:
                    serve.broken += 1

            def accept():
                while True:
                    try:
                        to = listening.accept()[0]
                    except OSError:
                        return
                    threading.Thread(target=answer, args=[to], daemon=True).start()

            threading.Thread(target=accept, daemon=True).start()
            return f"http://127.0.0.1:{listening.getsockname()[1]}/input.txt"

        serve.broken = 0
        yield serve


FETCH = """
import hashlib, sys
from pathlib import Path
from model import data
data.SHAKESPEARE_SIZE = 300_000
data.SHAKESPEARE_SHA256 = hashlib.sha256(b"To be" * 60_000).hexdigest()
print(data.shakespeare(sys.argv[1], Path("runs/plays.txt")).stat().st_size)
"""


def test_three_programs_download_shakespeare_at_once(answering, tmp_path):
    url = answering(b"HTTP/1.0 200 OK\r\n\r\n" + b"To be" * 60_000)
    command = [sys.executable, "-c", FETCH, url]
    three = [
        subprocess.Popen(
            command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    assert [process.communicate()[0] for process in three] == [b"300000\n"] * 3
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["plays.txt"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"SSH-2.0-\x1b[31mred\r\n",
        b"HTTP/1.0 302 Found\r\nLocation: /input.txt\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nplease log in",
    ],
)
def test_an_answer_that_is_no_shakespeare_gets_one_line(answering, tmp_path, content):
    """It goes away, is no HTTP, leads round in a circle, or is another text."""
    with pytest.raises(ValueError, match=r"got .* from http") as caught:
        shakespeare(answering(content), tmp_path / "runs/shakespeare.txt")
    assert str(caught.value).isprintable()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_no_more_is_read_than_shakespeare_wrote(answering, tmp_path):
    url = answering(b"HTTP/1.0 200 OK\r\n\r\n" + b"and so on " * 2_000_000)
    with pytest.raises(ValueError, match=r"got .* from http"):
        shakespeare(url, tmp_path / "runs/shakespeare.txt")
    for _ in range(100):
        if answering.broken:
            break
        time.sleep(0.1)
    assert answering.broken == 1


def test_a_folder_in_the_place_of_shakespeare(tmp_path):
    with pytest.raises(ValueError, match=r"got .*; expected"):
        shakespeare("http://localhost:1/nothing", tmp_path)
