import random

import numpy as np
import pytest

from model.gpt import GPT, GPTConfig
from model.options import NAMES_RUN
from model.run import Run, begin
from model.train import train
from tests.few_names import FewNames

DATA = FewNames(["anna", "bo", "hannah", "ida", "otto"])


def some_run():
    model = GPT(random.Random(1), GPTConfig(dropout=0.2))
    return Run(model, DATA, {"learning_rate": 0.02, "steps": 20, "batch_size": 4})


def test_a_run_is_its_steps_one_after_another():
    one, other = some_run(), some_run()
    losses = [one.step()["loss"] for _ in range(20)]
    train(other)
    assert one.done == other.done == 20 and losses[-1] < losses[0]
    for w, x in zip(one.model.parameters(), other.model.parameters()):
        assert np.array_equal(w.data, x.data)


def test_a_step_tells_its_loss_and_its_tokens():
    metrics = some_run().step()
    assert metrics["step"] == 1 and metrics["loss"] == pytest.approx(3.3, abs=0.3)
    assert 4 * 3 <= metrics["tokens"] <= 4 * 7


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_loss_that_is_no_number_ends_the_run_and_says_where(wrong):
    run = some_run()
    run.step()
    run.model.ln_f.bias.data[:] = wrong
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="loss of nan at step 2"):
        run.step()


def test_begin_makes_everything_from_the_settings_alone():
    settings = NAMES_RUN | {"data": "names", "names": None, "dropout": 0.1}
    losses = [begin(settings).step() for _ in range(2)]
    assert losses[0] == losses[1]
    run = begin(settings)
    assert run.model.drop.p == 0.1 and run.settings == settings and run.done == 0
    assert {w.dtype for w in run.model.parameters()} == {np.dtype(np.float32)}


def test_gradients_are_clipped_and_matrices_lean_towards_0():
    """No name is as long as 15 letters, so the gradient of pos_emb's last row is 0: it decays."""
    run = some_run()
    before = run.model.pos_emb.data[-1].copy()
    assert run.step()["norm"] > 1.1
    # AdamW's m is a tenth of the first gradient, as it was clipped.
    assert np.linalg.norm(10 * run.optimizer.m) == pytest.approx(1)
    assert run.model.pos_emb.data[-1] == pytest.approx(before * (1 - 0.1 * run.optimizer.lr))


def test_a_batch_goes_through_the_model_in_as_many_micro_batches_as_asked_for():
    settings, rows = {"learning_rate": 0.02, "steps": 9, "batch_size": 8, "micro_batches": 4}, []
    run = Run(GPT(random.Random(1)), DATA, settings)
    drop = run.model.drop

    def watched(x):
        rows.append(len(x.data))
        return drop(x)

    run.model.drop = watched
    run.step()
    assert rows == [2, 2, 2, 2]
