"""letters: the 26 letters on the plane in which their learnt vectors spread most."""

import itertools
import math

from drawings.svg import Picture

RUN = """
import random
from model.data import LETTERS, NAMES_FILE, read_names, split
from model.gpt import GPT
from model.train import train
model = GPT(random.Random(2))
train(model, split(read_names(NAMES_FILE))[0], 0.1)
result = {LETTERS[x]: [w.data for w in row] for x, row in enumerate(model.tok_emb)}
"""
RUNS = {"embedding": RUN}


def plane(rows):
    """Each row's two coordinates along the directions in which the rows spread most.

    Power iteration: a vector multiplied by the table of products again and again turns towards
    its widest direction; the second is found in what the first leaves.
    """
    size = len(rows[0])
    means = [sum(row[c] for row in rows) / len(rows) for c in range(size)]
    rest = [[w - m for w, m in zip(row, means)] for row in rows]
    axes = []
    for _ in range(2):
        axis = [1.0 + c for c in range(size)]
        for _ in range(300):
            shadows = [sum(w * a for w, a in zip(row, axis)) for row in rest]
            axis = [sum(s * row[c] for s, row in zip(shadows, rest)) for c in range(size)]
            length = math.sqrt(sum(a * a for a in axis))
            axis = [a / length for a in axis]
        shadows = [sum(w * a for w, a in zip(row, axis)) for row in rest]
        rest = [[w - s * a for w, a in zip(row, axis)] for s, row in zip(shadows, rest)]
        axes.append(shadows)
    return list(zip(*axes))


def draw(table):
    table = {letter: row for letter, row in table.items() if letter != "."}
    places = dict(zip(table, plane(list(table.values()))))
    words = (
        "The 26 letters as points on a plane: a, e, i, o and u, in circles, lie together on one "
        "side, the consonants on the other. Letters that would cover each other stand a little "
        "apart."
    )
    picture = Picture(424, "Where the vectors of the letters lie", words)
    picture.text(8, 22, "the vectors of the letters; vowels in circles", bold=True)
    widest = max(max(abs(x), abs(y) * 1.25) for x, y in places.values())
    places = {a: (240 + 222 * x / widest, 232 - 222 * y / widest) for a, (x, y) in places.items()}
    for letter, (x, y) in apart(places).items():
        if letter in "aeiou":
            picture.dot(x, y - 5, "orange", 14)
        picture.text(x, y, letter, "middle", "paper" if letter in "aeiou" else "blue", bold=True)
    return picture


def apart(places, least=17):
    """Places that lie on each other are pushed apart until each can be read."""
    places = {name: list(place) for name, place in places.items()}
    for _ in range(50):
        for one, other in itertools.combinations(places.values(), 2):
            gap = math.dist(one, other)
            for axis in (0, 1):
                push = max(0, least - gap) / 2 * (other[axis] - one[axis]) / gap
                one[axis], other[axis] = one[axis] - push, other[axis] + push
    return places
