"""Trains this step's model, prints how surprised it is, and lets it invent names."""

import argparse
import gc
import math
import random

from engine.optim import Adam, warm_up_cool_down
from model import STEP
from model.count import yardsticks
from model.data import NAMES_FILE, encode, read_names, split
from model.gpt import GPT, name_loss
from model.sample import sample_name
from model.services.checkpoint import save
from model.services.progress import Progress, fail, run_program


def train(model, names, learning_rate, passes=1):
    """Walks downhill, a name at a time; each pass goes through all names in random order."""
    optimizer = Adam(model.parameters(), learning_rate)
    # The collector looks for cycles, and our graphs have none: nodes point at their parents only.
    gc.disable()
    rng = random.Random(2)
    progress = Progress([n for _ in range(passes) for n in rng.sample(names, len(names))])
    for name in progress:
        loss = name_loss(model, encode(name))
        if not loss.data < 1000:
            raise ValueError(f"the loss rose to {loss.data:.0f}; expected a lower --learning-rate")
        progress.note(loss.data, letters=len(name) + 1)
        optimizer.zero_grad()
        loss.backward()
        share = warm_up_cool_down(progress.steps, len(progress.items))
        optimizer.lr = share * learning_rate
        optimizer.step()
    gc.enable()
    return progress


def average_loss(model, names):
    """The loss a letter, over all letters of the names."""
    letters = [len(name) + 1 for name in names]
    losses = [name_loss(model, encode(name)).data for name in names]
    return math.fsum(a * b for a, b in zip(losses, letters)) / sum(letters)


def main():
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("--names", default=NAMES_FILE, help="a text file with one name a line")
    parser.add_argument("--learning-rate", type=float, default=0.005, help="default 0.005")
    parser.add_argument("--passes", type=int, default=2, help="through all names; default 2")
    options = parser.parse_args()
    if not 0 < options.learning_rate < math.inf:
        fail(f"train: got the learning rate {options.learning_rate}; expected a number above 0")
    if not 1 <= options.passes <= 1000:
        fail(f"train: got {options.passes} passes; expected 1 to 1,000")
    try:
        names = read_names(options.names)
        train_names, held_out_names = split(names)
        model = GPT(random.Random(2))
        progress = train(model, train_names, options.learning_rate, options.passes)
    except ValueError as error:
        fail(f"train: {error}")

    save(model)
    size = sum(weight.data.size for weight in model.parameters())
    loss = average_loss(model, train_names[: len(held_out_names)])
    held_out = average_loss(model, held_out_names)
    print(
        f"{STEP} · {size:,} weights · loss {loss:.4f} · held-out {held_out:.4f} · "
        f"{progress.speed()}"
    )
    print(yardsticks(train_names, held_out_names))
    rng = random.Random(1)
    print(" ".join(sample_name(model, rng) for _ in range(10)))


if __name__ == "__main__":
    run_program(main)
