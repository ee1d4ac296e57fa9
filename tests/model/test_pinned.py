"""Ten steps of a tiny model, always the same: the numbers that a mere rewriting must not change."""

import random

import pytest

from engine.optim import SGD
from model.data import encode
from model.gpt import GPT, name_loss

NAMES = ["anna", "bo", "carla", "dmitri", "elif", "fumiko", "goran", "hana", "ines", "jakob"]
LOSSES = [
    3.234673451911,
    3.338311433819,
    3.185335646306,
    3.391712397215,
    3.167313937668,
    3.218301213633,
    3.042959953638,
    2.846333461633,
    2.964987608921,
    3.174519452501,
]


def test_ten_losses():
    model = GPT(random.Random(1), T=8, C=4)
    optimizer = SGD(model.parameters(), lr=0.5)
    losses = []
    for name in NAMES:
        loss = name_loss(model, encode(name))
        losses.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses == pytest.approx(LOSSES, abs=1e-9)
