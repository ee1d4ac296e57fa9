import os
import random
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from engine import cpu
from engine.autograd import Tensor
from engine.noise import Noise
from engine.nudge import gradcheck
from engine.ops import cross_entropy, dropout
from model.data import NAMES_FILE, Names, batch
from model.gpt import GPT, Block, Dropout, GPTConfig
from model.run import average_loss
from model.services.checkpoint import CHECKPOINT, load
from tests.compare import assert_close
from tests.program import TRAIN

ROOT = Path(__file__).parents[2]
X, Y = batch(["anna", "bo", "hannah"])


def test_gradients():
    """By nudges; the same numbers are left out each time."""
    x = Tensor(np.random.default_rng(3).uniform(-1, 1, (4, 5)))
    gradcheck(lambda x: dropout(x, 0.4, Noise(1)), x)


def test_what_is_left_out_gets_no_gradient_and_the_rest_counts_more():
    x = Tensor(np.full(1000, 3.0))
    y = dropout(x, 0.25, Noise(1))
    y.sum().backward()
    assert set(y.data) == {0.0, 3.0 * (1 / 0.75)}
    assert_close(x.grad, y.data / 3.0)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_that_is_left_out_and_the_mean(p):
    """Within 5 standard errors of p and of 1."""
    y = cpu.dropout_forward(np.ones(100_000), p, seed=1, offset=0)
    error = np.sqrt(p * (1 - p) / 100_000)
    assert abs((y == 0).mean() - p) < 5 * error
    assert abs(y.mean() - 1) < 5 * error / (1 - p)


def test_float32_stays_float32():
    y = cpu.dropout_forward(np.ones(10, np.float32), 0.5, seed=1, offset=0)
    assert y.dtype == cpu.dropout_backward(y, 0.5, seed=1, offset=0).dtype == np.float32


def test_train_and_eval_reach_every_part():
    model = GPT(random.Random(1), GPTConfig(L=2, dropout=0.5))
    modules = [model, model.ln_f, model.blocks[1], model.blocks[1].mlp.up, model.blocks[0].drop]
    assert all(m.training for m in modules)
    assert model.eval() is model and not any(m.training for m in modules)
    assert model.train() is model and all(m.training for m in modules)


def test_a_model_that_is_asked_leaves_nothing_out():
    """The weights are those of a model without dropout."""
    with_dropout, without = GPT(random.Random(1), GPTConfig(dropout=0.5)), GPT(random.Random(1))
    assert_close(with_dropout.eval()(X).data, without(X).data)
    with_dropout.train()
    one, other = with_dropout(X).data, with_dropout(X).data
    assert not np.allclose(one, other)
    with_dropout.eval()
    assert average_loss(with_dropout, [(X, Y)]) == average_loss(without, [(X, Y)])


def test_every_part_of_a_block_is_left_out_by_chance():
    """With nearly everything left out, a block hands on its input."""
    block = Block(random.Random(1), GPTConfig(C=4, H=2, dropout=1 - 1e-9), Noise(1))
    x = Tensor(np.random.default_rng(3).uniform(-1, 1, (2, 3, 4)))
    assert_close(block(x).data, x.data)
    assert not np.allclose(block.eval()(x).data, x.data)


def test_numbers_are_left_out_at_every_place_and_from_one_source():
    """Once after the tables, and twice a block, at what it adds to the road."""
    model, calls = GPT(random.Random(1), GPTConfig(L=3, dropout=0.5)), []

    class Counted(Noise):
        def take(self, n):
            calls.append(n)
            return super().take(n)

    drops = [model.drop, *(block.drop for block in model.blocks)]
    assert all(drop.noise is model.noise for drop in drops)
    for drop in drops:
        drop.noise = Counted(1)
    model(X)
    assert calls == [X.size * 16] * (1 + 2 * 3)


def test_no_dropout_draws_no_noise():
    draw = Dropout(0.0, None)
    x = Tensor(np.ones(3))
    assert draw(x) is x


def test_training_with_dropout_repeats():
    losses = []
    for _ in range(2):
        model = GPT(random.Random(1), GPTConfig(dropout=0.3))
        losses.append([cross_entropy(model(X), Y).item() for _ in range(3)])
    assert losses[0] == losses[1] and len(set(losses[0])) == 3


def test_what_is_reported_are_the_losses_of_a_model_that_leaves_nothing_out(tmp_path):
    command = [*TRAIN, "--data", "names", "--dropout", "0.5"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}  # the same arithmetic as here
    done = subprocess.run(
        [*command, "--steps", "30"], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    told = [float(x) for x in re.findall("(?:loss|held-out) ([0-9.]+)", done.stdout)]
    model, _ = load(tmp_path / CHECKPOINT)
    data = Names(NAMES_FILE)
    losses = [average_loss(model, data.batches(held_out)) for held_out in (False, True)]
    assert told == pytest.approx(losses, abs=1e-4)


@pytest.mark.parametrize("share", ["1.0", "-0.1", "nan"])
def test_a_share_that_cannot_be(tmp_path, share):
    command = [*TRAIN, "--data", "names", f"--dropout={share}"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"train: got --dropout {share}; expected 0 to 0.99" in done.stderr
