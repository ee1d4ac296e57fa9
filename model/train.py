"""Trains this step's model, prints how surprised it is, and lets it invent names."""

import argparse
import math
import random
from dataclasses import replace

import numpy as np

from engine.autograd import no_grad
from engine.cost import count_bytes
from engine.ops import cross_entropy
from engine.optim import AdamW, clip_grad_norm, decay_groups, warm_up_cool_down
from model import STEP
from model.count import bits_per_byte, yardsticks
from model.data import NAMES_FILE, load_data
from model.gpt import CONFIGS, GPT, count_flops
from model.options import NAMES_RUN, TEXT_RUN, add_options, check
from model.sample import sample_line
from model.services.checkpoint import save
from model.services.progress import Progress, fail, run_program

WEIGHT_DECAY, MAX_NORM = 0.1, 1.0


def train(model, data, learning_rate, steps, batch_size=32, micro_batches=1):
    """Walks downhill, a batch at a time, computed in this many micro-batches."""
    optimizer = AdamW(decay_groups(model, WEIGHT_DECAY), learning_rate)
    rng = random.Random(2)
    progress = Progress(range(steps))
    for _ in progress:
        x, y = data.batch(rng, batch_size)
        optimizer.zero_grad()
        loss = accumulate(model, x, y, micro_batches)
        if not loss < 1000:
            raise ValueError(f"the loss rose to {loss:.0f}; expected a lower --learning-rate")
        progress.note(loss, tokens=int((y >= 0).sum()))
        clip_grad_norm(optimizer.params, MAX_NORM)
        share = warm_up_cool_down(progress.steps, len(progress.items))
        optimizer.lr = share * learning_rate
        optimizer.step()
    return progress


def accumulate(model, x, y, micro_batches):
    """The loss of a batch, and its gradients, added up over micro-batches; x, y (B, T)

    loss = the sum of (tokens of a micro-batch / tokens of the batch) * (its mean loss)
    Only one micro-batch's graph is in memory at a time. Adds to the gradients that are there.
    """
    loss, tokens = 0.0, (y >= 0).sum()
    for inputs, targets in zip(np.array_split(x, micro_batches), np.array_split(y, micro_batches)):
        share = (targets >= 0).sum() / tokens
        if share:
            micro_loss = cross_entropy(model(inputs), targets) * share
            micro_loss.backward()
            loss += micro_loss.item()
    return loss


def cost(model, x, y, micro_batches):
    """What a batch's loss and gradients take, in one line; counted on the first micro-batch."""
    rows = math.ceil(len(x) / micro_batches)  # array_split makes the first the largest
    nodes, moved = count_bytes(lambda: cross_entropy(model(x[:rows]), y[:rows]))
    flops, moved = count_flops(model, *x.shape), moved * len(x) / rows
    nodes *= micro_batches
    return f"a step: {flops / 1e9:.3f} GFLOP · {moved / 1e6:.1f} MB moved · {nodes} nodes"


def average_loss(model, batches):
    """The loss a token, over all tokens of the batches (x, y)."""
    total, tokens = 0.0, 0
    for x, y in batches:
        with no_grad():
            total += cross_entropy(model(x), y).item() * (y >= 0).sum()
        tokens += (y >= 0).sum()
    return total / tokens


def main():
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("--data", help="stories (default), names, shakespeare, or a text file")
    parser.add_argument("--names", help="a text file with one name a line, for --data names")
    parser.add_argument("--model", choices=CONFIGS, help="sizes; default tiny, for names names")
    add_options(parser)
    options = parser.parse_args()
    if "" in (options.data, options.names):
        fail("train: got an empty --data or --names; expected the name of a file")
    options.data = options.data or ("names" if options.names else "stories")
    if options.names and options.data != "names":
        fail(f"train: got --names with --data {options.data}; expected --data names")
    if options.merges is not None and options.data == "names":
        fail(f"train: got {options.merges} merges for names; expected --merges with a text only")
    usual = NAMES_RUN if options.data == "names" else TEXT_RUN
    for name, value in usual.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    try:
        check(vars(options))
        config = CONFIGS[options.model]
        data = load_data(options.data, options.names or NAMES_FILE, config.T, options.merges)
        scale = 0.4 / math.sqrt(config.C)  # 0.1 at 16 channels, less where more is added up
        config = replace(config, V=data.V, scale=scale, dropout=options.dropout)
        model = GPT(random.Random(2), config).to(np.float32)
        settings = options.learning_rate, options.steps, options.batch_size, options.micro_batches
        progress = train(model, data, *settings)
    except ValueError as error:
        fail(f"train: {error}")
    except MemoryError:
        got = f"batches of {options.batch_size}"
        fail(f"train: got {got}, too large for memory; expected more --micro-batches")

    model.eval()
    save(model, data.tokenizer)
    size = sum(weight.data.size for weight in model.parameters())
    loss = average_loss(model, data.batches(held_out=False))
    batches = data.batches(held_out=True)
    held_out = average_loss(model, batches)
    if not held_out < 1000:
        fail(f"train: got a held-out loss of {held_out:.0f}; expected a lower --learning-rate")
    print(
        f"{STEP} · {size:,} weights · loss {loss:.4f} · held-out {held_out:.4f} · "
        f"bits per byte {bits_per_byte(held_out, batches, data):.4f} · {progress.speed()}"
    )
    batch = data.batch(random.Random(1), options.batch_size)
    print(cost(model.train(), *batch, options.micro_batches))
    print(yardsticks(data))
    print(sample_line(model.eval(), random.Random(1), data.tokenizer, length=120))


if __name__ == "__main__":
    run_program(main)
