"""Little stories drawn by rules: plain English, any amount of it, the same on every machine.

model/data/stories.txt holds the rules. Alternatives stand between slashes, and the k-th of them
has a probability proportional to 1/k (Zipf, 1935). <rule> is drawn anew at each mention. A slot
("once") is drawn once a story, all its columns together, and each mention repeats it:
{beast} "an owl", {Beast} "An owl", {the beast} "the owl".
"""

import itertools
import math
import random
import re
from bisect import bisect
from operator import itemgetter
from pathlib import Path

# A blank line ends a story, and stands nowhere else.
END = "\n\n"


def parse(text):
    """(rules, slots), each of them {name: [(sum of p so far, p, what may be drawn), ...]}.

    "<rule>" draws a list of parts: "<rule>", "{slot}" or plain text. A slot draws all its mentions.
    """
    rules, slots = {}, {}
    for heading, body in re.findall(r"^(\w.*?): ((?:.*\n )*.*)", text, re.MULTILINE):
        choices = [re.split("(<.*?>|{.*?})", choice.strip()) for choice in body.split("/")]
        total = math.fsum(1 / k for k in range(1, len(choices) + 1))
        shares = [1 / k / total for k in range(1, len(choices) + 1)]
        rules[f"<{heading}>"] = list(zip(itertools.accumulate(shares), shares, choices))
    for name in [name for name in rules if name.startswith("<once ")]:
        shares, values = zip(*texts(rules, name))
        choices = [mentions(name[1:-1].split()[1:], value) for value in values]
        slots[name] = list(zip(itertools.accumulate(shares), shares, choices))
        del rules[name]
    return rules, slots


def texts(rules, part):
    """[(p, text), ...]: all that a part can become."""
    found = []
    for _, p, parts in rules[part]:
        for way in itertools.product(*(texts(rules, x) if x in rules else [(1, x)] for x in parts)):
            shares, pieces = zip(*way)
            found.append((p * math.prod(shares), "".join(pieces)))
    return found


def mentions(columns, value):
    """["beast"], "an owl" -> {"{beast}": "an owl", "{The beast}": "The owl", ...}"""
    found = {}
    for column, text in zip(columns, value.split(" | ")):
        for name, word in [(column, text), (f"the {column}", f"the {text.partition(' ')[2]}")]:
            found[f"{{{name}}}"] = word
            found[f"{{{name.capitalize()}}}"] = word[0].upper() + word[1:]
    return found


GRAMMAR = parse((Path(__file__).parent / "data/stories.txt").read_text(encoding="utf-8"))


def stories(seed, grammar=GRAMMAR):
    """Endlessly (text, surprise): a story, and the sum of -log p over the draws that made it."""
    rules, slots = grammar
    rng = random.Random(seed)

    def draw(choices):
        nonlocal surprise
        place = rng.random() * choices[-1][0]
        _, p, choice = choices[bisect(choices, place, key=itemgetter(0))]
        surprise -= math.log(p)
        return choice

    def expand(part):
        if part in rules:
            return "".join(map(expand, draw(rules[part])))
        return words.get(part, part)

    while True:
        surprise, words = 0.0, {}
        for choices in slots.values():
            words |= draw(choices)
        yield expand("<story>") + END, surprise


def generate(seed, size):
    """The first `size` characters of the stories; the last story is usually cut short."""
    pieces, endless = [], stories(seed)
    while size > 0:
        text, _ = next(endless)
        pieces.append(text[:size])
        size -= len(text)
    return "".join(pieces)
