"""Names as arrays of numbers, a row each."""

import random
from pathlib import Path

import numpy as np

# "." marks both ends of a name.
LETTERS = ".abcdefghijklmnopqrstuvwxyz"
# With the mark before it a name fills the model's 16 positions.
LONGEST = 15
NAMES_FILE = Path(__file__).parent / "data" / "names.txt"


def read_names(path):
    """The names in a text file that holds one a line.

    Raises ValueError where the file is missing, is not text, holds fewer than 10 names,
    or holds a name with a character other than a-z or of more than LONGEST letters.
    """
    try:
        names = Path(path).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ValueError(f"names: got {path} ({reason}); expected a text file") from None
    if len(set(names)) < 10:
        raise ValueError(f"names: got {len(set(names))} names in {path}; expected at least 10")
    for name in names:
        encode(name)
        if len(name) > LONGEST:
            raise ValueError(f"names: got {name!r}; expected at most {LONGEST} letters")
    return names


def encode(name):
    """The numbers of a name's letters, with the mark 0 at both ends: abe -> [0, 1, 2, 5, 0]."""
    for letter in name:
        if letter not in LETTERS[1:]:
            raise ValueError(f"names: got {letter!r} in {name!r}; expected the letters a-z")
    return [0] + [LETTERS.index(letter) for letter in name] + [0]


def batch(names):
    """(x, y), each (B, T): a row a name, the letters that are given and those to predict.

    T is the longest name's. Shorter rows end in 0 in x and in -1, nothing to predict, in y.
    """
    T = max(len(name) for name in names) + 1
    x, y = np.zeros((len(names), T), dtype=int), np.full((len(names), T), -1)
    for row, name in enumerate(names):
        letters = encode(name)
        x[row, : len(letters) - 1] = letters[:-1]
        y[row, : len(letters) - 1] = letters[1:]
    return x, y


def decode(numbers):
    """The reverse of encode; the marks at the ends are left out."""
    return "".join(LETTERS[number] for number in numbers if number != 0)


def pairs(names):
    """Each letter or mark with the next one: abe -> (0, 1), (1, 2), (2, 5), (5, 0)."""
    return [pair for name in names for pair in zip(encode(name), encode(name)[1:])]


def split(names):
    """(names to learn from, names held out): every tenth one after a shuffle is held out."""
    shuffled = sorted(set(names))
    random.Random(1).shuffle(shuffled)
    return [name for i, name in enumerate(shuffled) if i % 10], shuffled[::10]


class Names:
    """Names, each of them a row of its own; every tenth is held out."""

    characters = LETTERS

    def __init__(self, path):
        self.train, self.held_out = split(read_names(path))

    def batch(self, rng, size):
        """(x, y) of names drawn at random, each (size, T), T the longest name's as in batch."""
        return batch(rng.choices(self.train, k=size))

    def batches(self, held_out, size=256):
        """The held-out names, or as many of those to learn from, in batches."""
        names = self.held_out if held_out else self.train[: len(self.held_out)]
        return [batch(names[i : i + size]) for i in range(0, len(names), size)]

    def contexts(self, held_out, memory):
        """(c, y): the `memory` letters before each letter, (N, memory), and that letter, (N)."""
        names = self.held_out if held_out else self.train
        c, y = [], []
        for name in names:
            padded = [0] * (memory - 1) + encode(name)
            for t in range(max(memory, 1), len(padded)):
                c.append(padded[t - memory : t])
                y.append(padded[t])
        return np.array(c, dtype=int).reshape(len(y), memory), np.array(y)
