"""Exercise: a backend of your own, whose functions say where a number that is none comes from."""

import importlib.util
import random

import numpy as np
import pytest

from engine import backend
from engine.ops import cross_entropy
from model.data import batch
from model.gpt import GPT


def test_checked(monkeypatch):
    """Write engine/checked.py with install(): it makes "checked" a device whose arrays are of a
    subclass Checked of np.ndarray, and whose backend has the functions of engine/cpu.py. They raise
    ValueError("name: got nan; expected finite numbers"), with the name of the function, as soon as
    one of them makes an array with a NaN or an infinity; of name_forward, only y is looked at.
    """
    assert importlib.util.find_spec("engine.checked"), "there is no engine/checked.py yet"
    from engine import checked

    # After the test both are gone again.
    monkeypatch.setitem(backend.BACKENDS, checked.Checked, None)
    monkeypatch.setitem(backend.DEVICES, "checked", None)
    checked.install()
    x, y = batch(["anna", "bo"])
    plain, model = GPT(random.Random(1)), GPT(random.Random(1)).to("checked")
    losses = [cross_entropy(each(x), y) for each in (plain, model)]
    for loss in losses:
        loss.backward()
    assert losses[0].item() == losses[1].item()
    for one, other in zip(plain.parameters(), model.parameters()):
        assert np.array_equal(one.grad, other.grad)
    assert type(model.tok_emb.grad) is checked.Checked, "what is made of them is not Checked"
    model.blocks[0].mlp.up.weight.data[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"^linear_forward: got nan; expected finite numbers"):
        model(x)
