"""Invents names, or goes on with a text, with the weights that make train has left."""

import argparse
import codecs
import random

from model.cache import Cache
from model.checkpoint import load
from model.data import LONGEST, decode, encode
from model.gpt import next_letter
from model.gpt2 import find, load_gpt2
from model.progress import fail, run


def sample_name(model, rng, prompt="", **choice):
    """Draws letter after letter, each by the probabilities that follow those before it.

    choice: temperature, top_k and top_p, as for next_letter.
    """
    letters = encode(prompt)[:-1]
    if len(prompt) > LONGEST:
        raise ValueError(f"prompt: got {prompt!r}; expected at most {LONGEST} letters")
    more = continuation(model, rng, letters, LONGEST - len(prompt), stop=0, **choice)
    return decode([*letters, *more])


def sample_text(model, rng, tokenizer, length, prompt="", **choice):
    """The prompt and up to `length` tokens that go on from it, as stream_text draws them."""
    return "".join(stream_text(model, rng, tokenizer, length, prompt, **choice))


def stream_text(model, rng, tokenizer, length, prompt="", **choice):
    """The prompt, and piece by piece what goes on from it; '' stands for the end of another text.

    A letter of several bytes comes once it is whole; one that stays incomplete is shown as �.
    """
    start = tokenizer.encode(b"\n") if tokenizer.end is None else [tokenizer.end]
    tokens = tokenizer.encode(prompt.encode()) or start
    letters = codecs.getincrementaldecoder("utf-8")("replace")
    yield prompt
    for token in continuation(model, rng, tokens, length, tokenizer.end, **choice):
        yield letters.decode(tokenizer.decode([token]))
    yield letters.decode(b"", final=True)


def continuation(model, rng, numbers, length, stop=None, **choice):
    """Up to `length` numbers that go on, until `stop` comes. The model sees the last T at most."""
    T = model.sizes["T"]
    numbers, cache = list(numbers)[-T:], Cache(model)
    for _ in range(length):
        if len(numbers) > T:
            # Without the older half all others have new positions: what was kept is true no longer.
            numbers, cache = numbers[len(numbers) // 2 :], Cache(model)
        probs = next_letter(model, numbers, cache=cache, **choice)
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
    parser.add_argument("--count", type=int, default=10, help="how many names; default 10")
    parser.add_argument("--length", type=int, default=200, help="of a text, in tokens; default 200")
    options = parser.parse_args()
    if min(options.count, options.length) < 1:
        got = f"{options.count} names, {options.length} tokens"
        fail(f"sample: got {got}; expected at least 1 of each")
    rng = random.Random(options.seed)
    choice = {name: getattr(options, name) for name in ("temperature", "top_k", "top_p")}
    try:
        model, tokenizer = load_gpt2(find(options.weights)) if options.weights else load()
        if tokenizer is None:
            for _ in range(options.count):
                print(sample_name(model, rng, options.prompt, **choice))
        else:
            length, prompt = options.length, options.prompt
            for piece in stream_text(model, rng, tokenizer, length, prompt, **choice):
                print(piece, end="", flush=True)
            print()
    except ValueError as error:
        fail(f"sample: {error}")


if __name__ == "__main__":
    run(main)
