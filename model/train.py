"""Trains this step's model, prints how surprised it is, and lets it invent names."""

import argparse
import math
import random

from engine.autograd import no_grad
from engine.ops import cross_entropy
from engine.optim import Adam, warm_up_cool_down
from model import STEP
from model.count import yardsticks
from model.data import NAMES_FILE, batch, read_names, split
from model.gpt import GPT
from model.sample import sample_name
from model.services.checkpoint import save
from model.services.progress import Progress, fail, run_program


def train(model, names, learning_rate, passes=1, batch_size=32):
    """Walks downhill, a batch at a time; each pass goes through all names in random order."""
    optimizer = Adam(model.parameters(), learning_rate)
    rng = random.Random(2)
    rows = [name for _ in range(passes) for name in rng.sample(names, len(names))]
    progress = Progress([rows[i : i + batch_size] for i in range(0, len(rows), batch_size)])
    for some in progress:
        x, y = batch(some)
        loss = cross_entropy(model(x), y)
        if not loss.item() < 1000:
            raise ValueError(
                f"the loss rose to {loss.item():.0f}; expected a lower --learning-rate"
            )
        progress.note(loss.item(), letters=int((y >= 0).sum()))
        optimizer.zero_grad()
        loss.backward()
        share = warm_up_cool_down(progress.steps, len(progress.items))
        optimizer.lr = share * learning_rate
        optimizer.step()
    return progress


def average_loss(model, names):
    """The loss a letter, over all letters of the names."""
    total, letters = 0.0, 0
    for i in range(0, len(names), 256):
        x, y = batch(names[i : i + 256])
        with no_grad():
            total += cross_entropy(model(x), y).item() * (y >= 0).sum()
        letters += (y >= 0).sum()
    return total / letters


def main():
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("--names", default=NAMES_FILE, help="a text file with one name a line")
    parser.add_argument("--learning-rate", type=float, default=0.02, help="default 0.02")
    parser.add_argument("--passes", type=int, default=30, help="through all names; default 30")
    parser.add_argument("--batch-size", type=int, default=32, help="names a step; default 32")
    options = parser.parse_args()
    if not 1 <= options.batch_size <= 100_000:
        fail(f"train: got batches of {options.batch_size} names; expected 1 to 100,000")
    if not 0 < options.learning_rate < math.inf:
        fail(f"train: got the learning rate {options.learning_rate}; expected a number above 0")
    if not 1 <= options.passes <= 1000:
        fail(f"train: got {options.passes} passes; expected 1 to 1,000")
    try:
        names = read_names(options.names)
        train_names, held_out_names = split(names)
        model = GPT(random.Random(2))
        progress = train(
            model, train_names, options.learning_rate, options.passes, options.batch_size
        )
    except ValueError as error:
        fail(f"train: {error}")
    except MemoryError:
        fail(f"train: got batches of {options.batch_size}, too large for memory; expected less")

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
