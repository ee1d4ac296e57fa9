"""Tiny made-up languages: which of them can this step's model learn?

In a word of a puzzle all letters but the last are drawn at random, and the last one follows from
them. Who has understood the rule is never surprised by it: the best possible loss is 0.
"""

import argparse
import math
import random
from collections import Counter

from engine.ops import cross_entropy
from model.data import decode, encode
from model.gpt import GPT
from model.services.progress import fail, run_program
from model.train import train

LEARNING_RATE = 0.01


def xor(rng):
    """Two letters, a or b; then y if they differ, n if not."""
    x, y = rng.choices("ab", k=2)
    return x + y + "ny"[x != y]


def clock(rng):
    """Two letters, the hours a to e of a clock that has five; then the hour of their sum."""
    x, y = rng.choices(range(5), k=2)
    return "".join("abcde"[hour] for hour in (x, y, (x + y) % 5))


def seen(rng):
    """Seven letters, a to h; then y if an a is among them, n if not."""
    letters = "".join(rng.choices("abcdefgh", k=7))
    return letters + "ny"["a" in letters]


def place(rng, kinds="abcd"):
    """Four letters, a to d; w, x, y or z for the first to fourth place; the letter there."""
    letters, i = "".join(rng.choices(kinds, k=4)), rng.randrange(4)
    return letters + "wxyz"[i] + letters[i]


def many(rng):
    """The same with 22 kinds of letters, a to v, each of which comes seldom."""
    return place(rng, "abcdefghijklmnopqrstuv")


def bits(rng):
    """Four letters, a for 0 and b for 1, and a z; then one of a to p: the number they write."""
    ones = rng.choices((0, 1), k=4)
    number = 8 * ones[0] + 4 * ones[1] + 2 * ones[2] + ones[3]
    return "".join("ab"[one] for one in ones) + "z" + "abcdefghijklmnop"[number]


# Each with the number of words that a model may learn from.
PUZZLES = {
    "xor": (xor, 1000),
    "clock": (clock, 2000),
    "seen": (seen, 1000),
    "place": (place, 1000),
    "many": (many, 1000),
    "bits": (bits, 1000),
}


def answer_loss(model, letters):
    """The surprise at the last letter of an encoded word; the letters before it are given."""
    *given, answer, _ = letters
    return cross_entropy(model(given)[-1], answer)


def knowing_nothing(words):
    """The loss of a guesser that knows only how frequent each answer is."""
    counts = Counter(word[-1] for word in words)
    return math.fsum(-n / len(words) * math.log(n / len(words)) for n in counts.values())


def answers(model, words):
    """For each word (the given letters, the right answer, the model's most likely one)."""
    rows = []
    for word in words:
        logits = [logit.data for logit in model(encode(word)[:-2])[-1]]
        rows.append((word[:-1], word[-1], decode([logits.index(max(logits))])))
    return rows


def main():
    parser = argparse.ArgumentParser(prog="puzzles", description=__doc__)
    parser.add_argument("puzzles", nargs="*", help=f"{', '.join(PUZZLES)}; default all")
    parser.add_argument("--seed", type=int, default=1, help="other first weights, other words")
    parser.add_argument("--layers", type=int, help="how many; default as this step's model")
    parser.add_argument("--heads", type=int, help="how many; default as this step's model")
    options = parser.parse_args()
    sizes = {}
    for size, name in (("L", "layers"), ("H", "heads")):
        number = getattr(options, name)
        if number is not None and not 1 <= number <= 100:
            fail(f"puzzles: got {number} {name}; expected 1 to 100")
        if number:
            sizes[size] = number
    for name in options.puzzles:
        if name not in PUZZLES:
            fail(f"puzzles: got {name!r}; expected {', '.join(PUZZLES)}")
    for name in options.puzzles or PUZZLES:
        puzzle, steps = PUZZLES[name]
        rng = random.Random(options.seed)
        try:
            model = GPT(rng, **sizes)
            train(model, [puzzle(rng) for _ in range(steps)], LEARNING_RATE, loss_of=answer_loss)
        except ValueError as error:
            fail(f"puzzles: {error}")
        words = [puzzle(rng) for _ in range(200)]
        loss = math.fsum(answer_loss(model, encode(word)).data for word in words) / len(words)
        rows = answers(model, words)
        right = sum(answer == guess for _, answer, guess in rows)
        print(
            f"{name} · loss {loss:.4f} · knowing nothing {knowing_nothing(words):.4f} · "
            f"right {right} of {len(words)}"
        )
        shown = [f"{given} {guess}{'' if guess == y else f', not {y}'}" for given, y, guess in rows]
        print("  " + "   ".join(shown[:4]))


if __name__ == "__main__":
    run_program(main)
