import random

import numpy as np

from engine.nudge import nudge
from model.data import encode
from model.gpt import GPT, name_loss
from tests.compare import assert_close


def test_4000_weights():
    assert sum(weight.data.size for weight in GPT(random.Random(1)).parameters()) == 4000


def test_a_tied_row_gets_the_gradients_of_both_its_uses():
    """A nudge of the row of b moves what is read and what is offered; the gradient holds both.
    The row of z is offered only, and has a gradient too.
    """
    model = GPT(random.Random(1), C=4, H=2)
    letters = encode("bo")

    def loss(_):
        return name_loss(model, letters)

    loss(None).backward()
    (measured,) = nudge(loss, [model.tok_emb], h=1e-5)
    for x in (encode("b")[1], encode("z")[1]):
        assert_close(model.tok_emb.grad[x], measured[x], "nudges")
        assert np.all(model.tok_emb.grad[x] != 0.0)
