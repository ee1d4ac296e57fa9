"""Ten steps of a tiny model, always the same: the numbers that a mere rewriting must not change."""

import random

import pytest

from engine.optim import SGD
from model.data import encode
from model.gpt import GPT, name_loss

NAMES = ["anna", "bo", "carla", "dmitri", "elif", "fumiko", "goran", "hana", "ines", "jakob"]
LOSSES = [
    3.255023183681,
    3.203633028295,
    3.320278944097,
    3.272094233269,
    3.203766349893,
    3.227296727198,
    3.147718524901,
    3.004482122976,
    3.135055459359,
    3.157533998732,
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
