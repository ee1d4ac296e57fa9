"""A language model made by counting: how often does each letter follow each other one?"""

import math
from collections import defaultdict

from model.data import LETTERS, encode

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


def count_after(names, memory):
    """counts[context][y]: how often letter y came after the `memory` letters in context."""
    counts = defaultdict(lambda: [SMOOTHING] * len(LETTERS))
    for x, y in windows(names, memory):
        counts[x][y] += 1
    return counts


def windows(names, memory):
    """Each letter y of each name with the tuple of `memory` letters before it."""
    for name in names:
        padded = [0] * (memory - 1) + encode(name)
        for t in range(max(memory, 1), len(padded)):
            yield tuple(padded[t - memory : t]), padded[t]


def yardsticks(names, held_out):
    """The losses on the held-out names of what counting knows, in one line."""
    words = [f"uniform {math.log(len(LETTERS)):.3f}"]
    for memory, kind in enumerate(["letters", "pairs", "triples", "fours"]):
        counts = count_after(names, memory)
        total, examples = 0.0, list(windows(held_out, memory))
        for x, y in examples:
            total -= math.log(counts[x][y] / sum(counts[x]))
        words.append(f"{kind} {total / len(examples):.3f}")
    return " · ".join(words)
