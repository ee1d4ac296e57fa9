"""Ten steps of a tiny model, always the same: the numbers that a mere rewriting must not change."""

import random

import pytest

from engine.optim import SGD
from model.data import encode
from model.gpt import GPT, name_loss

NAMES = ["anna", "bo", "carla", "dmitri", "elif", "fumiko", "goran", "hana", "ines", "jakob"]
LOSSES = [
    3.271210802036,
    3.264238381322,
    3.188918929084,
    3.295023017479,
    3.336691669465,
    3.272674453154,
    3.097450574994,
    2.964698042311,
    3.088028531013,
    3.135437920217,
]


def test_ten_losses():
    model = GPT(random.Random(1), C=4, hidden=5)
    optimizer = SGD(model.parameters(), lr=0.5)
    losses = []
    for name in NAMES:
        loss = name_loss(model, encode(name))
        losses.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses == pytest.approx(LOSSES, abs=1e-9)
