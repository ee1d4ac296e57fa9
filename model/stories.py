"""Little stories drawn by rules: plain English, any amount of it, the same on every machine.

model/data/stories.txt holds the rules. Alternatives stand between slashes, and the k-th of them
has a probability proportional to 1/k (Zipf, 1935). <rule> is drawn anew at each mention. A slot
("once") is drawn once a story, all its columns together, and each mention repeats it:
{beast} "an owl", {Beast} "An owl", {the beast} "the owl".

A story has one derivation only: its text tells which alternatives were drawn. So its surprise is
that of the draws together, and the mean of that, the entropy in nats, is a recursion:

    H(rule) = sum over its alternatives of p * (-log p + H of the rules named in it)
    H(story) = H(rule "story") + H of each slot, once, however often the story mentions it

n stories end to end hold n * H(story) nats in n * E[characters] characters, on average. So nobody
loses less than H(story) / E[characters] a character: the floor. Who knows the rules loses that.
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


def measure(grammar=GRAMMAR):
    """Of a story: (H, its entropy in nats; L, its mean number of characters; Q, see window_gap).

    Q sums -v * log v over all places in the rules and values of the slots, where v is the
    probability that a story has these values and a character at this place.
    """
    rules, slots = grammar
    known = math.fsum(-p * math.log(p) for choices in slots.values() for _, p, _ in choices)
    of_mention = {}
    for choices in slots.values():
        # The other slots are as surprising as ever; this one's value decides the length too.
        others = known - math.fsum(-p * math.log(p) for _, p, _ in choices)
        for mention in choices[0][2]:
            sizes = [(p, len(words[mention])) for _, p, words in choices]
            size = math.fsum(p * n for p, n in sizes)
            q = math.fsum(p * n * (others - math.log(p)) for p, n in sizes)
            of_mention[mention] = 0.0, size, q

    def mean(part):
        if part not in rules:
            return of_mention.get(part, (0.0, len(part), len(part) * known))
        terms = []
        for _, p, parts in rules[part]:
            h, size, q = map(math.fsum, zip(*map(mean, parts)))
            terms.append((p * (h - math.log(p)), p * size, p * (q - size * math.log(p))))
        return tuple(map(math.fsum, zip(*terms)))

    h, size, q = mean("<story>")
    return h + known, size + len(END), q + len(END) * known


def floor(grammar=GRAMMAR):
    """The entropy rate H / L in nats a character: the least average loss on endless stories."""
    h, size, _ = measure(grammar)
    return h / size


def window_gap(T, grammar=GRAMMAR):
    """Who sees only T characters at a time need lose at most so much more than the floor.

    A window cut out anywhere begins in a state S: the values of the slots, and the place in the
    rules. Given S, earlier text tells nothing more about the window. So not to see that text costs
    at most H(S) nats a window. A state that a story visits with probability v has the share v / L
    of all characters: H(S) = sum of -(v / L) * log(v / L) = log L + Q / L.
    """
    _, size, q = measure(grammar)
    return (math.log(size) + q / size) / T
