"""Invents names."""

from model.data import decode

# A name is cut off after this many letters.
LONGEST = 15


def sample_name(table, rng):
    """Draws letter after letter, each by the probabilities that follow the one before it."""
    letters = [0]
    while len(letters) <= LONGEST:
        (letter,) = rng.choices(range(len(table)), weights=table[letters[-1]])
        if letter == 0:
            break
        letters.append(letter)
    return decode(letters)
