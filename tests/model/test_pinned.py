"""Ten steps of a tiny model, always the same: the numbers that a mere rewriting must not change."""

import random

import pytest

from engine.optim import SGD
from model.data import encode
from model.gpt import GPT, name_loss

NAMES = ["anna", "bo", "carla", "dmitri", "elif", "fumiko", "goran", "hana", "ines", "jakob"]
LOSSES = [
    3.094632334236,
    2.932966611220,
    3.187154037847,
    3.368093021834,
    3.156261969652,
    3.188586325840,
    3.026448605212,
    2.677215763544,
    3.004244650524,
    3.186668849184,
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
