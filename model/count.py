"""A language model made by counting: how often does each letter follow each other one?"""

import math

import numpy as np

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


def counted_loss(seen, asked, V):
    """The loss on `asked` of a model that has counted `seen`, each (contexts (N, memory), y (N)).

    p[y] = (how often y came after the context + SMOOTHING) / (how often that came + V * SMOOTHING)
    """
    # The context and the letter after it, as digits of one number in base V.
    places = V ** np.arange(seen[0].shape[1] + 1)
    pairs = [np.column_stack((y, contexts)) @ places for contexts, y in (seen, asked)]
    pairs_seen = times(*pairs)
    contexts_seen = times(*(pair // V for pair in pairs))
    return -np.log((pairs_seen + SMOOTHING) / (contexts_seen + V * SMOOTHING)).mean()


def bits_per_byte(loss, batches, data):
    """The loss on these batches (x, y), in nats a token, as bits a byte of what they predict.

    bits per byte = loss * tokens / bytes / log 2
    """
    tokens = sum((y >= 0).sum() for _, y in batches)
    size = sum(data.bytes_in(y) for _, y in batches)
    return loss * (tokens / size) / math.log(2)


def times(seen, asked):
    """How often each number of `asked` stands in `seen`."""
    kinds, counts = np.unique(seen, return_counts=True)
    place = np.searchsorted(kinds, asked).clip(max=len(kinds) - 1)
    return np.where(kinds[place] == asked, counts[place], 0)


def yardsticks(data):
    """The losses on what is held out of what counting knows, in bits per byte, in one line."""
    V, bit = data.alphabet, math.log(2)
    words = [f"uniform {math.log(V) / bit:.3f}"]
    for memory, kind in enumerate(["letters", "pairs", "triples", "fours"]):
        loss = counted_loss(data.contexts(False, memory), data.contexts(True, memory), V)
        words.append(f"{kind} {loss / bit:.3f}")
    if data.floor is not None:
        words.append(f"floor {data.floor / bit:.3f}")
    return " · ".join(words) + " bits per byte"
