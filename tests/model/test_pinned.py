"""Ten steps of a tiny model, always the same: the numbers that a mere rewriting must not change."""

import random

import pytest

from engine.optim import SGD
from model.data import encode
from model.gpt import GPT, name_loss

NAMES = ["anna", "bo", "carla", "dmitri", "elif", "fumiko", "goran", "hana", "ines", "jakob"]
LOSSES = [
    3.234625990592,
    3.338321043039,
    3.185226096099,
    3.391783315134,
    3.167308458394,
    3.218329648846,
    3.042970985935,
    2.846279653321,
    2.964946641057,
    3.174568961574,
]


def test_ten_losses():
    model = GPT(random.Random(1), T=8, C=4, H=2)
    optimizer = SGD(model.parameters(), lr=0.5)
    losses = []
    for name in NAMES:
        loss = name_loss(model, encode(name))
        losses.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses == pytest.approx(LOSSES, abs=1e-9)
