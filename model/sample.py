"""Invents names, with the weights that make train has left."""

import argparse
import random

from model.data import LONGEST, decode, encode
from model.gpt import GPT, next_letter
from model.services.checkpoint import load
from model.services.progress import fail, run_program


def sample_name(model, rng, temperature=1.0, prompt=""):
    """Draws letter after letter, each by the probabilities that follow those before it."""
    letters = encode(prompt)[:-1]
    if len(prompt) > LONGEST:
        raise ValueError(f"prompt: got {prompt!r}; expected at most {LONGEST} letters")
    while len(letters) <= LONGEST:
        probs = next_letter(model, letters, temperature)
        (letter,) = rng.choices(range(len(probs)), weights=probs)
        if letter == 0:
            break
        letters.append(letter)
    return decode(letters)


def main():
    parser = argparse.ArgumentParser(prog="sample", description=__doc__)
    parser.add_argument("--prompt", default="", help="letters that every name begins with")
    parser.add_argument("--temperature", type=float, default=1.0, help="default 1.0")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other names")
    parser.add_argument("--count", type=int, default=10, help="how many names")
    options = parser.parse_args()
    if options.count < 1:
        fail(f"sample: got {options.count} names; expected at least 1")
    model, rng = GPT(random.Random(1)), random.Random(options.seed)
    try:
        load(model)
        for _ in range(options.count):
            print(sample_name(model, rng, options.temperature, options.prompt))
    except ValueError as error:
        fail(f"sample: {error}")


if __name__ == "__main__":
    run_program(main)
