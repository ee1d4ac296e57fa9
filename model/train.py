"""Makes this step's model, prints how surprised it is, and lets it invent names."""

import argparse
import math
import random
import time

from model import STEP
from model.count import average_surprise, count_pairs, yardsticks
from model.data import NAMES_FILE, pairs, read_names, split
from model.gpt import softmax
from model.sample import sample_name
from model.services.progress import fail, run_program


def main():
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("--names", default=NAMES_FILE, help="a text file with one name a line")
    options = parser.parse_args()
    try:
        names = read_names(options.names)
    except ValueError as error:
        fail(f"train: {error}")

    start = time.perf_counter()
    train_names, held_out_names = split(names)
    train_pairs, held_out_pairs = pairs(train_names), pairs(held_out_names)
    counts = count_pairs(train_pairs)
    weights = [[math.log(count) for count in row] for row in counts]  # 27 rows of 27
    table = [softmax(row) for row in weights]
    seconds = time.perf_counter() - start

    loss = average_surprise(table, train_pairs)
    held_out = average_surprise(table, held_out_pairs)
    size = len(weights) * len(weights[0])
    print(f"{STEP} · {size} weights · loss {loss:.4f} · held-out {held_out:.4f} · {seconds:.1f} s")
    print(yardsticks(train_pairs, held_out_pairs))
    rng = random.Random(1)
    print(" ".join(sample_name(weights, rng) for _ in range(10)))


if __name__ == "__main__":
    run_program(main)
