"""Names as lists of numbers."""

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
