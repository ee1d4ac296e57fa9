"""Ten steps of a tiny model, always the same: the numbers that a mere rewriting must not change."""

import random

import pytest

from engine.optim import SGD
from model.data import encode
from model.gpt import GPT, name_loss

NAMES = ["anna", "bo", "carla", "dmitri", "elif", "fumiko", "goran", "hana", "ines", "jakob"]
LOSSES = [
    3.383702429681,
    3.558685004107,
    3.258680538053,
    3.323876138685,
    3.367709684399,
    3.190511284497,
    3.138418724933,
    3.071861267821,
    3.170366945235,
    3.161035758158,
]


def test_ten_losses():
    model = GPT(random.Random(1), C=4)
    optimizer = SGD(model.parameters(), lr=0.5)
    losses = []
    for name in NAMES:
        loss = name_loss(model, encode(name))
        losses.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses == pytest.approx(LOSSES, abs=1e-9)
