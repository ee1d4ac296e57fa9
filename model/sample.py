"""Invents names."""

from model.data import decode
from model.gpt import next_letter

# A name is cut off after this many letters.
LONGEST = 15


def sample_name(model, rng, temperature=1.0):
    """Draws letter after letter, each by the probabilities that follow those before it."""
    letters = [0]
    while len(letters) <= LONGEST:
        probs = next_letter(model, letters, temperature)
        (letter,) = rng.choices(range(len(probs)), weights=probs)
        if letter == 0:
            break
        letters.append(letter)
    return decode(letters)
