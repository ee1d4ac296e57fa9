import multiprocessing
import random

import numpy as np
import pytest

from engine.flat import Flat, FlatAdamW
from engine.ops import cross_entropy
from engine.optim import decay_groups
from engine.parallel import Team, shared
from model.data import batch
from model.gpt import GPT, GPTConfig
from tests.compare import assert_close

# Rows with different numbers of tokens, of which the processes have different numbers too.
X, Y = batch(["annabel", "bo", "carla", "dmitri", "elif"])


def gradients(model):
    return [weight.grad for weight in model.parameters()]


def alone(model, x, y):
    for weight in model.parameters():
        weight.grad = None
    loss = cross_entropy(model(x), y)
    loss.backward()
    return loss.item(), gradients(model)


def make_team(model, processes=2, noise=None):
    return Team(model, Flat(decay_groups(model, 0.1), shared), processes, noise)


def together(model, x, y, processes):
    return make_team(model, processes).backward(x, y), gradients(model)


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_a_shared_batch_has_the_loss_and_the_gradients_of_the_whole(processes, rows):
    model = GPT(random.Random(1), GPTConfig(L=2))
    loss, slopes = together(model, X[:rows], Y[:rows], processes)
    expected, expected_slopes = alone(model, X[:rows], Y[:rows])
    assert loss == pytest.approx(expected, abs=1e-12)
    assert_close(slopes, expected_slopes)


@pytest.mark.parametrize("rows", [slice(0, 3), slice(3, 5)])
def test_rows_without_a_token_to_predict_add_nothing(rows):
    model, y = GPT(random.Random(1)), Y.copy()
    y[rows] = -1
    loss, slopes = together(model, X, y, processes=2)
    expected, expected_slopes = alone(model, X, y)
    assert loss == pytest.approx(expected, abs=1e-12)
    assert_close(slopes, expected_slopes)


def test_in_float32():
    model = GPT(random.Random(1)).to(np.float32)
    _, slopes = together(model, X, Y, processes=2)
    assert {slope.dtype for slope in slopes} == {np.dtype(np.float32)}
    assert_close(slopes, alone(model, X, Y)[1], "float32")


def test_a_run_repeats_to_the_last_bit():
    runs = []
    for _ in range(2):
        model = GPT(random.Random(1), GPTConfig(L=2)).to(np.float32)
        team = make_team(model)
        optimizer = FlatAdamW(team.flat, lr=0.01)
        losses = []
        for _ in range(20):
            optimizer.zero_grad()
            losses.append(team.backward(X, Y))
            optimizer.step()
        runs.append((losses, [weight.data for weight in model.parameters()]))
    (losses, weights), (same_losses, same_weights) = runs
    assert losses == same_losses and losses[-1] < losses[0] - 0.5
    assert all(np.array_equal(w, same) for w, same in zip(weights, same_weights))


def test_weights_that_are_replaced_are_noticed():
    model = GPT(random.Random(1))
    team = make_team(model)
    model.to(np.float32)
    with pytest.raises(ValueError, match="Flat: got other arrays than at first; expected a new"):
        team.flat.zero_grad()


def test_gradients_add_up_until_they_are_set_back():
    model = GPT(random.Random(1))
    team = make_team(model)
    team.backward(X, Y)
    once = [slope.copy() for slope in gradients(model)]
    team.backward(X, Y)
    assert_close(gradients(model), [2 * slope for slope in once])


def test_a_helper_that_was_killed():
    before = set(multiprocessing.active_children())
    team = make_team(GPT(random.Random(1)))
    (helper,) = set(multiprocessing.active_children()) - before
    helper.kill()
    with pytest.raises(ValueError, match="Team: got no answer; expected a helper that is not"):
        for _ in range(3):
            team.backward(X, Y)


def test_the_processes_leave_out_different_numbers():
    """The same row twice, one for each process: with the same noise the halves would be equal,
    and so the loss that of one row alone.
    """
    losses = []
    for rows in ([0], [0, 0], [0, 0]):
        model = GPT(random.Random(1), GPTConfig(dropout=0.5))
        losses.append(make_team(model, 2, model.noise).backward(X[rows], Y[rows]))
    assert abs(losses[0] - losses[1]) > 1e-4 and losses[1] == losses[2]


def test_a_mistake_of_a_helper_reaches_the_caller(monkeypatch):
    """Only the second half, the helper's, has a token that is refused."""
    logits = GPT.__call__

    def refuse(model, tokens):
        if tokens.any():
            raise ValueError("GPT: got the token 1; expected 0")
        return logits(model, tokens)

    monkeypatch.setattr(GPT, "__call__", refuse)
    x = np.array([[0, 0], [1, 1]])
    with pytest.raises(ValueError, match="GPT: got the token 1; expected 0"):
        make_team(GPT(random.Random(1))).backward(x, x)


@pytest.mark.parametrize("wrong", [0, 1])
def test_after_a_mistake_the_next_answers_are_those_to_the_next_batch(monkeypatch, wrong):
    """A row each for three processes: the first of them, or the second, meets a refused token."""
    logits = GPT.__call__

    def refuse(model, tokens):
        if np.any(tokens == 26):
            raise ValueError("GPT: got the token 26; expected less")
        return logits(model, tokens)

    monkeypatch.setattr(GPT, "__call__", refuse)
    model, x = GPT(random.Random(1)), X[:3].copy()
    x[wrong, 0] = 26
    team = make_team(model, processes=3)
    with pytest.raises(ValueError, match="GPT: got the token 26"):
        team.backward(x, Y[:3])
    assert team.backward(X[2:], Y[2:]) == pytest.approx(alone(model, X[2:], Y[2:])[0], abs=1e-12)


def test_helpers_end_with_the_process_that_began_them():
    """Also where that is itself one of multiprocessing's, as in a race."""

    def work():
        global team
        team = make_team(GPT(random.Random(1)))
        team.backward(X, Y)

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(20)
    code = process.exitcode
    process.kill()
    assert code == 0


def test_a_helper_without_memory_tells_the_caller(monkeypatch):
    logits = GPT.__call__

    def refuse(model, tokens):
        if tokens.any():
            raise MemoryError
        return logits(model, tokens)

    monkeypatch.setattr(GPT, "__call__", refuse)
    with pytest.raises(MemoryError):
        make_team(GPT(random.Random(1))).backward(np.array([[0, 0], [1, 1]]), np.zeros((2, 2), int))


def test_helpers_end_with_their_team():
    before = set(multiprocessing.active_children())
    team = make_team(GPT(random.Random(1)), processes=3)
    helpers = set(multiprocessing.active_children()) - before
    team.backward(X, Y)
    del team
    for helper in helpers:
        helper.join(10)
        assert helper.exitcode == 0
