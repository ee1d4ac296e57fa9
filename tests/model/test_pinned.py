"""Ten steps of a tiny model, always the same: the numbers that a mere rewriting must not change."""

import random

import pytest

from engine.optim import SGD
from model.data import encode
from model.gpt import GPT, GPTConfig
from tests.losses import name_loss

NAMES = ["anna", "bo", "carla", "dmitri", "elif", "fumiko", "goran", "hana", "ines", "jakob"]
LOSSES = [
    3.278754305689,
    3.225578247715,
    3.225017214879,
    3.324676454365,
    3.159397649932,
    3.156897780692,
    3.075603152523,
    2.863960366179,
    3.032340162733,
    3.153780497500,
]


def pinned_model():
    """The model that they are the losses of: not how weights are drawn is pinned, but what follows.

    Its weights come one by one from Python's own generator, matrix after matrix.
    """
    model, rng = GPT(None, GPTConfig(T=8, C=4, H=2)), random.Random(1)
    for name, weight in model.named_parameters():
        scale = 0.02 if "emb" in name else model.config.scale
        if "proj" in name or "down" in name:
            scale = model.config.scale_out
        if weight.ndim == 2:
            weight.data[...] = [[rng.gauss(0.0, scale) for _ in row] for row in weight.data]
    return model


def test_ten_losses():
    model = pinned_model()
    optimizer = SGD(model.parameters(), lr=0.5)
    losses = []
    for name in NAMES:
        loss = name_loss(model, encode(name))
        losses.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses == pytest.approx(LOSSES, abs=1e-9)
