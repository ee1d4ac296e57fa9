"""Trains this step's model, prints how surprised it is, and lets it invent names."""

import argparse
import math
import random

from engine.autograd import Value
from engine.optim import SGD
from model import STEP
from model.count import yardsticks
from model.data import LETTERS, NAMES_FILE, pairs, read_names, split
from model.gpt import cross_entropy
from model.sample import sample_name
from model.services.progress import Progress, fail, run_program


def train(weights, data, learning_rate):
    """Walks downhill, a pair of letters at a time: each weight moves against its slope."""
    optimizer = SGD([weight for row in weights for weight in row], learning_rate)
    progress = Progress(data)
    for x, y in progress:
        loss = cross_entropy(weights[x], y)
        progress.note(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return progress


def average_loss(weights, data):
    return math.fsum(cross_entropy(weights[x], y).data for x, y in data) / len(data)


def main():
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("--names", default=NAMES_FILE, help="a text file with one name a line")
    parser.add_argument("--learning-rate", type=float, default=0.1, help="default 0.1")
    options = parser.parse_args()
    if not 0 < options.learning_rate < math.inf:
        fail(f"train: got the learning rate {options.learning_rate}; expected a number above 0")
    try:
        names = read_names(options.names)
        train_names, held_out_names = split(names)
        train_pairs, held_out_pairs = pairs(train_names), pairs(held_out_names)
        random.Random(2).shuffle(train_pairs)
        weights = [[Value(0.0) for _ in LETTERS] for _ in LETTERS]  # 27 rows of 27
        progress = train(weights, train_pairs, options.learning_rate)
    except ValueError as error:
        fail(f"train: {error}")

    size = len(weights) * len(weights[0])
    loss, held_out = average_loss(weights, train_pairs), average_loss(weights, held_out_pairs)
    print(
        f"{STEP} · {size} weights · loss {loss:.4f} · held-out {held_out:.4f} · {progress.speed()}"
    )
    print(yardsticks(train_names, held_out_names))
    rng = random.Random(1)
    print(" ".join(sample_name(weights, rng) for _ in range(10)))


if __name__ == "__main__":
    run_program(main)
