import random
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from engine.ops import cross_entropy
from engine.parallel import Team
from model.data import batch
from model.gpt import GPT
from model.train import accumulate
from tests.compare import assert_close

ROOT = Path(__file__).parent.parent
# 32 rows of 2 to 9 tokens: the parts differ in how many they hold.
X, Y = batch(["abcdefgh"[: 1 + i // 4] for i in range(32)])


def gradients(model):
    return [np.broadcast_to(weight.grad, weight.shape) for weight in model.parameters()]


@pytest.mark.parametrize("parts", [1, 2, 4, 5, 32])
def test_a_batch_of_32_equals_its_parts_one_after_another(parts):
    whole, parted = GPT(random.Random(1), L=2), GPT(random.Random(1), L=2)
    loss = cross_entropy(whole(X), Y)
    loss.backward()
    assert accumulate(Team(parted, 1), X, Y, parts) == pytest.approx(loss.item(), abs=1e-12)
    assert_close(gradients(parted), gradients(whole))


def test_a_part_without_a_token_to_predict_adds_nothing():
    whole, parted = GPT(random.Random(1)), GPT(random.Random(1))
    y = Y.copy()
    y[8:16] = -1
    loss = cross_entropy(whole(X), y)
    loss.backward()
    assert accumulate(Team(parted, 1), X, y, 4) == pytest.approx(loss.item(), abs=1e-12)
    assert_close(gradients(parted), gradients(whole))


def test_in_float32_too():
    whole, parted = (GPT(random.Random(1), L=2).to(np.float32) for _ in range(2))
    accumulate(Team(whole, 1), X, Y, 1)
    accumulate(Team(parted, 1), X, Y, 4)
    assert {grad.dtype for grad in gradients(parted)} == {np.dtype(np.float32)}
    assert_close(gradients(parted), gradients(whole), "float32")


def test_the_mean_of_the_parts_means_would_be_another_loss():
    """A token in a part of few tokens would count more than one in a part of many."""
    model = GPT(random.Random(1))
    means = [
        cross_entropy(model(x), y).item()
        for x, y in zip(np.array_split(X, 4), np.array_split(Y, 4))
    ]
    assert abs(np.mean(means) - accumulate(Team(model, 1), X, Y, 4)) > 1e-4


def test_four_parts_need_less_than_half_of_the_memory():
    def peak(parts):
        model = GPT(random.Random(1), T=64, L=2)
        x = np.ones((32, 64), dtype=int)
        tracemalloc.start()
        accumulate(Team(model, 1), x, x, parts)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(4) < peak(1) / 2


@pytest.mark.parametrize("parts", ["0", "33"])
def test_parts_that_cannot_be(tmp_path, parts):
    command = [sys.executable, "-m", "model.train", "--data", "names", "--parts", parts]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"train: got {parts} parts; expected 1 to 32, the batch\n"
