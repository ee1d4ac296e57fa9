"""Invents names, or goes on with a text, with the weights that make train has left."""

import argparse
import codecs
import random

import numpy as np

from engine.backend import DEVICES
from model.cache import Cache
from model.gpt import next_token
from model.gpt2 import find, load_gpt2
from model.services.checkpoint import load
from model.services.progress import fail, run_program


def sample_text(model, rng, tokenizer, length, prompt="", **choice):
    """The prompt and up to `length` tokens that go on from it, as stream_text draws them."""
    return "".join(stream_text(model, rng, tokenizer, length, prompt, **choice))


def stream_text(model, rng, tokenizer, length, prompt="", **choice):
    """The prompt, and piece by piece what goes on from it, until a name or a text ends.

    choice: temperature, top_k and top_p, as for next_token.
    A letter of several bytes comes once it is whole; one that stays incomplete is shown as �.
    """
    tokens = tokenizer.start(prompt)
    length = min(length, tokenizer.longest - len(tokens))
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    yield prompt
    for token in continuation(model, rng, tokens, length, tokenizer.end, **choice):
        yield decoder.decode(tokenizer.decode([token]))
    yield decoder.decode(b"", final=True)


def sample_line(model, rng, tokenizer, length):
    """Some texts in a row, as many as `samples`; each of up to `length` tokens."""
    texts = [sample_text(model, rng, tokenizer, length) for _ in range(tokenizer.samples)]
    return " ".join(texts).strip()


def continuation(model, rng, numbers, length, stop=None, **choice):
    """Up to `length` numbers that go on, until `stop` comes. The model sees the last T at most."""
    T = model.config.T
    numbers, cache = list(numbers)[-T:], Cache(model)
    for _ in range(length):
        if len(numbers) > T:
            # Without the older half all others have new positions: what was kept is true no longer.
            numbers, cache = numbers[len(numbers) // 2 :], Cache(model)
        probs = next_token(model, numbers, cache=cache, **choice)
        (number,) = rng.choices(range(len(probs)), weights=probs)
        if number == stop:
            break
        numbers.append(number)
        yield number


def main():
    parser = argparse.ArgumentParser(prog="sample", description=__doc__)
    parser.add_argument("--weights", help="gpt2, downloaded once, or a folder such as ./mine")
    parser.add_argument("--prompt", default="", help="how each name, or the text, begins")
    parser.add_argument("--temperature", type=float, default=1.0, help="default 1.0")
    parser.add_argument("--top-k", type=int, help="only the k most probable; default all")
    parser.add_argument(
        "--top-p", type=float, default=1.0, help="only the most probable that have p"
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed, other names")
    parser.add_argument("--count", type=int, help="how many; default 10 names, or 1 text")
    parser.add_argument("--length", type=int, default=200, help="in tokens; default 200")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="where; default cpu")
    options = parser.parse_args()
    for name in ("count", "length"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            fail(f"sample: got --{name} {getattr(options, name)}; expected 1 or more")
    rng = random.Random(options.seed)
    choice = {name: getattr(options, name) for name in ("temperature", "top_k", "top_p")}
    try:
        # Whether the device is there shows with the first array, so before a download.
        DEVICES[options.device](np.zeros(1, np.float32))
        model, tokenizer = load_gpt2(find(options.weights)) if options.weights else load()
        model.to(options.device)
        length, prompt = options.length, options.prompt
        for _ in range(options.count or tokenizer.samples):
            for piece in stream_text(model, rng, tokenizer, length, prompt, **choice):
                print(piece, end="", flush=True)
            print()
    except ValueError as error:
        fail(f"sample: {error}")


if __name__ == "__main__":
    run_program(main)
