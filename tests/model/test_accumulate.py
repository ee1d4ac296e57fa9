import random
import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from engine.ops import cross_entropy
from engine.parallel import accumulate
from model.data import batch
from model.gpt import GPT, GPTConfig
from tests.compare import assert_close
from tests.program import TRAIN

ROOT = Path(__file__).parents[2]
# 32 rows of 2 to 9 tokens: the micro-batches differ in how many they hold.
X, Y = batch(["abcdefgh"[: 1 + i // 4] for i in range(32)])


def gradients(model):
    return [np.broadcast_to(weight.grad, weight.shape) for weight in model.parameters()]


@pytest.mark.parametrize("micro_batches", [1, 2, 4, 5, 32])
def test_a_batch_of_32_equals_its_micro_batches_one_after_another(micro_batches):
    whole, parted = GPT(random.Random(1), GPTConfig(L=2)), GPT(random.Random(1), GPTConfig(L=2))
    loss = cross_entropy(whole(X), Y)
    loss.backward()
    assert accumulate(parted, X, Y, micro_batches) == pytest.approx(loss.item(), abs=1e-12)
    assert_close(gradients(parted), gradients(whole))


def test_a_micro_batch_without_a_token_to_predict_adds_nothing():
    whole, parted = GPT(random.Random(1)), GPT(random.Random(1))
    y = Y.copy()
    y[8:16] = -1
    loss = cross_entropy(whole(X), y)
    loss.backward()
    assert accumulate(parted, X, y, 4) == pytest.approx(loss.item(), abs=1e-12)
    assert_close(gradients(parted), gradients(whole))


def test_in_float32_too():
    whole, parted = (GPT(random.Random(1), GPTConfig(L=2)).to(np.float32) for _ in range(2))
    accumulate(whole, X, Y, 1)
    accumulate(parted, X, Y, 4)
    assert {grad.dtype for grad in gradients(parted)} == {np.dtype(np.float32)}
    assert_close(gradients(parted), gradients(whole), "float32")


def test_the_mean_of_the_micro_batches_means_would_be_another_loss():
    """A token among few in a micro-batch would count more than one among many."""
    model = GPT(random.Random(1))
    means = [
        cross_entropy(model(x), y).item()
        for x, y in zip(np.array_split(X, 4), np.array_split(Y, 4))
    ]
    assert abs(np.mean(means) - accumulate(model, X, Y, 4)) > 1e-4


def test_four_micro_batches_need_less_than_half_of_the_memory():
    def peak(micro_batches):
        model = GPT(random.Random(1), GPTConfig(T=64, L=2))
        x = np.ones((32, 64), dtype=int)
        tracemalloc.start()
        accumulate(model, x, x, micro_batches)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(4) < peak(1) / 2


@pytest.mark.parametrize("micro_batches", ["0", "33"])
def test_micro_batches_that_cannot_be(tmp_path, micro_batches):
    flags = ["--data", "names", "--micro-batches", micro_batches]
    command = [*TRAIN, *flags]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"train: got --micro-batches {micro_batches}; expected 1 to 32\n"
