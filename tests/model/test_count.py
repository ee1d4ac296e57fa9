import math
import random

import numpy as np
import pytest

from engine.autograd import Tensor
from model.count import (
    SMOOTHING,
    average_surprise,
    count_pairs,
    counted_loss,
    probabilities,
    yardsticks,
)
from model.data import LETTERS, Letters, pairs
from model.gpt import GPTConfig
from model.sample import sample_text
from tests.few_names import FewNames


def test_counts_of_one_name():
    """anna holds .a an nn na a. once each; every count starts at SMOOTHING."""
    counts = count_pairs(pairs(["anna"]))
    a, n = LETTERS.index("a"), LETTERS.index("n")
    assert counts[a][n] == counts[n][n] == counts[n][a] == counts[0][a] == 1 + SMOOTHING
    assert sum(map(sum, counts)) == 5 + 729 * SMOOTHING


def test_probabilities_are_shares():
    assert probabilities([3, 1]) == [0.75, 0.25]


def test_surprise_of_a_table_that_knows_nothing_is_log_27():
    table = [[1 / 27] * 27] * 27
    assert average_surprise(table, pairs(["anna", "bo"])) == pytest.approx(math.log(27))


def test_surprise_by_hand():
    """Probabilities 1/2 and 1/8: the average of log 2 and log 8 is log 4."""
    table = [[0.5, 0.5], [0.125, 0.875]]
    assert average_surprise(table, [(0, 1), (1, 0)]) == pytest.approx(math.log(4))


def test_counting_is_the_best_table_for_the_names_it_counted():
    """Without smoothing, moving any probability raises the loss on the counted pairs."""
    data = [(0, 0)] * 3 + [(0, 1)]
    best = average_surprise([[0.75, 0.25]], data)
    assert average_surprise([[0.74, 0.26]], data) > best
    assert average_surprise([[0.76, 0.24]], data) > best


def test_sample_follows_the_table():
    """A model that allows one way only: . -> a -> b -> end."""
    follower = {0: 1, 1: 2, 2: 0}

    def model(tokens, cache):
        return Tensor([[[100.0 * (y == follower[x]) for y in range(27)] for x in tokens[0]]])

    model.config, model.blocks = GPTConfig(T=16), [None]
    assert sample_text(model, random.Random(3), Letters(), length=20) == "ab"


def test_yardsticks_count_letters_pairs_triples_and_fours():
    """With one name over and over each longer memory knows more; smoothing keeps it above 0."""
    line = yardsticks(FewNames(["anna"] * 50, ["anna"]))
    losses = [float(words.split()[1]) for words in line.split(" · ")]
    assert [words.split()[0] for words in line.split(" · ")] == [
        "uniform",
        "letters",
        "pairs",
        "triples",
        "fours",
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] == 4.755


def test_pairs_of_the_yardsticks_are_those_of_the_table():
    names = ["anna", "bo", "nora", "hannah"]
    table = [probabilities(row) for row in count_pairs(pairs(names))]
    expected = average_surprise(table, pairs(["hanna"]))
    assert f" pairs {expected / math.log(2):.3f} " in yardsticks(FewNames(names, ["hanna"]))


def test_counted_loss_by_hand():
    """After 1 came 0 twice and 1 once, of V = 2: p(0 | 1) = (2 + 0.5) / (3 + 1); 0 was never seen
    as a context, so there p is 1/2.
    """
    seen = np.array([[1], [1], [1]]), np.array([0, 0, 1])
    asked = np.array([[1], [0]]), np.array([0, 1])
    expected = -(math.log(2.5 / 4) + math.log(0.5)) / 2
    assert counted_loss(seen, asked, V=2) == pytest.approx(expected)
