import math
import multiprocessing
import random

import numpy as np
import pytest

from engine.ops import cross_entropy
from engine.optim import AdamW, clip_grad_norm, decay_groups
from engine.parallel import Team, make_worker
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
    return make_worker(model, decay_groups(model, 0.1), 0.01, processes, noise)


def summed(team):
    """The gradients of all processes, added up, for each weight."""
    return [slope.copy() for slope in team.flat.views(sum(team.gradients))]


def together(model, x, y, processes):
    team = make_team(model, processes)
    loss = team.backward(x, y)
    return loss, [dict(zip(team.flat.params, summed(team)))[w] for w in model.parameters()]


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
        losses = []
        for _ in range(20):
            losses.append(team.backward(X, Y))
            team.step(math.inf)
        runs.append((losses, [weight.data for weight in model.parameters()]))
    (losses, weights), (same_losses, same_weights) = runs
    assert losses == same_losses and losses[-1] < losses[0] - 0.5
    assert all(np.array_equal(w, same) for w, same in zip(weights, same_weights))


def test_weights_that_are_replaced_are_noticed():
    model = GPT(random.Random(1))
    team = make_team(model)
    model.to(np.float32)
    with pytest.raises(ValueError, match="Flat: got other arrays than at first; expected a new"):
        team.backward(X, Y)


def test_a_batch_forgets_the_gradients_of_the_one_before():
    team = make_team(GPT(random.Random(1)))
    team.backward(X, Y)
    once = summed(team)
    team.backward(X, Y)
    assert all(np.array_equal(slope, same) for slope, same in zip(summed(team), once))


@pytest.mark.parametrize("micro_batches", [1, 3])
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_shares_are_stepped_as_the_whole_is(processes, micro_batches):
    """Clipped in every other step. One process with the AdamW and the clipping of before, which
    are compared with torch's, does the same.
    """
    model, other = GPT(random.Random(1), GPTConfig(L=2)), GPT(random.Random(1), GPTConfig(L=2))
    team, plain = make_team(model, processes), AdamW(decay_groups(other, 0.1), lr=0.01)
    for done in range(6):
        max_norm = math.inf if done % 2 else 0.1
        loss, norm = team.backward(X, Y, micro_batches), team.step(max_norm)
        expected, _ = alone(other, X, Y)
        assert loss == pytest.approx(expected, rel=1e-10)
        assert norm == pytest.approx(clip_grad_norm(plain.params, max_norm), rel=1e-9)
        plain.step()
    weights, others = ([w.data for w in m.parameters()] for m in (model, other))
    assert_close(weights, others)
    assert_close(team.flat.views(team.optimizer.m), plain.m)
    assert_close(team.flat.views(team.optimizer.v), plain.v)


def test_each_process_steps_only_its_share():
    """All three shares begin at multiples of 16; with the others gone, only ours moves."""
    team = make_team(GPT(random.Random(1)), processes=3)
    ends, size = [], team.flat.data.size
    for rank in range(3):
        team.take(rank)
        ends.append((team.start, team.stop))
    team.take(1)
    assert [start for start, _ in ends] == [0, *(stop for _, stop in ends[:2])]
    assert ends[2][1] == size and {place % 16 for end in ends for place in end} == {0}
    assert max(b - a for a, b in ends) - min(b - a for a, b in ends) <= 16
    before = team.flat.data.copy()
    team.flat.grad[...] = 1.0
    team.update(1.0, math.inf, 0.1, 0)
    start, stop = ends[1]
    changed = team.flat.data != before
    assert changed[start:stop].all() and not changed[:start].any() and not changed[stop:].any()


def test_one_process_shares_nothing():
    before = set(multiprocessing.active_children())
    worker = make_team(GPT(random.Random(1)), processes=1)
    assert not isinstance(worker, Team)
    assert set(multiprocessing.active_children()) <= before
    assert worker.flat.data.flags.owndata and worker.flat.data.base is None


def test_after_a_mistake_the_team_goes_on(monkeypatch):
    """No answer of a helper is left over, to be taken for that to another question."""
    team = make_team(GPT(random.Random(1)), processes=3)
    expected = team.backward(X, Y)
    with pytest.raises(ValueError, match="expected 16 at most"):
        team.backward(np.zeros((3, 17), int), np.zeros((3, 17), int))
    assert team.backward(X, Y) == expected


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


@pytest.mark.parametrize("wrong, kind", [(0, ValueError), (1, ValueError), (0, KeyboardInterrupt)])
def test_after_a_mistake_the_next_answers_are_those_to_the_next_batch(monkeypatch, wrong, kind):
    """A row each for three processes: the first of them, or the second, meets a refused token."""
    logits = GPT.__call__

    def refuse(model, tokens):
        if np.any(tokens == 26):
            raise kind("GPT: got the token 26; expected less")
        return logits(model, tokens)

    monkeypatch.setattr(GPT, "__call__", refuse)
    model, x = GPT(random.Random(1)), X[:3].copy()
    x[wrong, 0] = 26
    team = make_team(model, processes=3)
    with pytest.raises(kind, match="GPT: got the token 26"):
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
