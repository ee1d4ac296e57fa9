"""A language model made by counting: how often does each letter follow each other one?"""

import math

from model.data import LETTERS

# Added to every count, so that a pair never seen is unlikely and not impossible.
SMOOTHING = 0.5


def count_pairs(data):
    """counts[x][y]: how often letter y came after letter x, plus SMOOTHING."""
    counts = [[SMOOTHING] * len(LETTERS) for _ in LETTERS]
    for x, y in data:
        counts[x][y] += 1
    return counts


def probabilities(counts):
    """Each count as a share of all of them: [3, 1] -> [0.75, 0.25]."""
    total = sum(counts)
    return [count / total for count in counts]


def average_surprise(table, data):
    """The loss: the average over all pairs (x, y) in data of -log(p), where p = table[x][y]."""
    total = 0.0
    for x, y in data:
        total -= math.log(table[x][y])
    return total / len(data)


def yardsticks(data, held_out):
    """The losses on the held-out pairs of what simple counting knows, in one line."""
    uniform = math.log(len(LETTERS))
    counts = count_pairs(data)
    letters = [SMOOTHING] * len(LETTERS)
    for _, y in data:
        letters[y] += 1
    letters_loss = average_surprise([probabilities(letters)] * len(LETTERS), held_out)
    pairs_loss = average_surprise([probabilities(row) for row in counts], held_out)
    return f"uniform {uniform:.3f} · letters {letters_loss:.3f} · pairs {pairs_loss:.3f}"
