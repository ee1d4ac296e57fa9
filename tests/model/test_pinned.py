"""Ten steps of a tiny model, always the same: the numbers that a mere rewriting must not change."""

import random

import pytest

from engine.optim import SGD
from model.data import encode
from model.gpt import GPT, name_loss

NAMES = ["anna", "bo", "carla", "dmitri", "elif", "fumiko", "goran", "hana", "ines", "jakob"]
LOSSES = [
    3.309003052972,
    3.177626867755,
    3.265806906420,
    3.212789215895,
    3.156971594985,
    3.162366635124,
    3.137952409885,
    2.920843264400,
    3.094262857462,
    3.036626935764,
]


def test_ten_losses():
    model = GPT(random.Random(1), C=4, H=2)
    optimizer = SGD(model.parameters(), lr=0.5)
    losses = []
    for name in NAMES:
        loss = name_loss(model, encode(name))
        losses.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses == pytest.approx(LOSSES, abs=1e-9)
