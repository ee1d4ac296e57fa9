"""Ten steps of a tiny model, always the same: the numbers that a mere rewriting must not change."""

import random

import pytest

from engine.optim import SGD
from model.data import encode
from model.gpt import GPT, name_loss

NAMES = ["anna", "bo", "carla", "dmitri", "elif", "fumiko", "goran", "hana", "ines", "jakob"]
LOSSES = [
    3.247107158273,
    3.219052963105,
    3.215072819225,
    3.285950021634,
    3.223480046705,
    3.242142673275,
    3.094872703855,
    2.915685941484,
    3.092845417492,
    3.159527014012,
]


def test_ten_losses():
    model = GPT(random.Random(1), T=8, C=4, hidden=5)
    optimizer = SGD(model.parameters(), lr=0.5)
    losses = []
    for name in NAMES:
        loss = name_loss(model, encode(name))
        losses.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses == pytest.approx(LOSSES, abs=1e-9)
