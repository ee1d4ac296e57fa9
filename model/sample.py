"""Invents names, or goes on with a text, with the weights that make train has left."""

import argparse
import random

from model.data import LETTERS, LONGEST, decode, encode
from model.gpt import next_token
from model.services.checkpoint import load
from model.services.progress import fail, run_program


def sample_name(model, rng, temperature=1.0, prompt=""):
    """Draws letter after letter, each by the probabilities that follow those before it."""
    letters = encode(prompt)[:-1]
    if len(prompt) > LONGEST:
        raise ValueError(f"prompt: got {prompt!r}; expected at most {LONGEST} letters")
    return decode(continuation(model, rng, letters, LONGEST - len(prompt), temperature, stop=0))


def sample_text(model, rng, characters, length, temperature=1.0, prompt=""):
    """The prompt and `length` characters that go on from it; '' stands for the first character."""
    prompt = prompt or characters[0]
    for c in prompt:
        if c not in characters:
            raise ValueError(f"prompt: got {c!r}; expected characters of the text it learnt from")
    numbers = [characters.index(c) for c in prompt]
    numbers = continuation(model, rng, numbers, length, temperature, seen=model.sizes["T"])
    return "".join(characters[number] for number in numbers)


def continuation(model, rng, numbers, length, temperature, stop=None, seen=None):
    """The numbers and up to `length` more, until `stop` comes. The model sees the last `seen`."""
    numbers = list(numbers)
    for _ in range(length):
        shown = numbers if seen is None else numbers[-seen:]
        probs = next_token(model, shown, temperature)
        (number,) = rng.choices(range(len(probs)), weights=probs)
        if number == stop:
            break
        numbers.append(number)
    return numbers


def main():
    parser = argparse.ArgumentParser(prog="sample", description=__doc__)
    parser.add_argument("--prompt", default="", help="how each name, or the text, begins")
    parser.add_argument("--temperature", type=float, default=1.0, help="default 1.0")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other names")
    parser.add_argument("--count", type=int, default=10, help="how many names; default 10")
    parser.add_argument("--length", type=int, default=500, help="of a text; default 500")
    options = parser.parse_args()
    if min(options.count, options.length) < 1:
        got = f"{options.count} names, {options.length} characters"
        fail(f"sample: got {got}; expected at least 1 of each")
    rng = random.Random(options.seed)
    try:
        model, characters = load()
        if characters == LETTERS:
            for _ in range(options.count):
                print(sample_name(model, rng, options.temperature, options.prompt))
        else:
            settings = options.length, options.temperature, options.prompt
            print(sample_text(model, rng, characters, *settings).strip())
    except ValueError as error:
        fail(f"sample: {error}")


if __name__ == "__main__":
    run_program(main)
