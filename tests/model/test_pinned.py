"""Ten steps of a tiny model, always the same: the numbers that a mere rewriting must not change."""

import random

import pytest

from engine.optim import SGD
from model.data import encode
from model.gpt import GPT, name_loss

NAMES = ["anna", "bo", "carla", "dmitri", "elif", "fumiko", "goran", "hana", "ines", "jakob"]
LOSSES = [
    3.288910471980,
    3.302859936783,
    3.219597017517,
    3.308239865311,
    3.247731254394,
    3.274500370971,
    3.162725507173,
    3.061027605743,
    3.136665125849,
    3.148144690306,
]


def test_ten_losses():
    model = GPT(random.Random(1), T=8, C=4, H=1, hidden=5)
    optimizer = SGD(model.parameters(), lr=0.5)
    losses = []
    for name in NAMES:
        loss = name_loss(model, encode(name))
        losses.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses == pytest.approx(LOSSES, abs=1e-9)
