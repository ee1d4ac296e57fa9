"""Invents names."""

from model.data import LONGEST, decode
from model.gpt import next_letter


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
