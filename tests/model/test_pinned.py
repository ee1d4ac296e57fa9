"""Ten steps of a tiny model, always the same: the numbers that a mere rewriting must not change."""

import random

import pytest

from engine.optim import SGD
from model.data import encode
from model.gpt import GPT, name_loss

NAMES = ["anna", "bo", "carla", "dmitri", "elif", "fumiko", "goran", "hana", "ines", "jakob"]
LOSSES = [
    2.989019491256,
    3.469002594710,
    3.467505287889,
    3.668264620062,
    3.137886385726,
    3.120757983788,
    3.057202287527,
    2.829179898021,
    2.901901554015,
    3.132862971071,
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
