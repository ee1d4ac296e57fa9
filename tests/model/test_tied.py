import math
import random

import numpy as np
import pytest

from engine.nudge import nudge
from model.data import NAMES_FILE, Names, encode
from model.gpt import GPT, GPTConfig
from model.run import average_loss
from tests.compare import assert_close
from tests.losses import name_loss


def spread(weight):
    return np.sqrt(np.mean(weight.data**2))


def test_4000_weights():
    assert sum(weight.data.size for weight in GPT(random.Random(1)).parameters()) == 4000


def test_untrained_loss_is_log_27():
    """Within 0.03, on names from the list: an untrained model is not sure of anything."""
    for seed in range(3):
        loss = average_loss(GPT(random.Random(seed)), Names(NAMES_FILE).batches(held_out=True))
        assert loss == pytest.approx(math.log(27), abs=0.03)


def test_a_tied_row_gets_the_gradients_of_both_its_uses():
    """A nudge of the row of b moves what is read and what is offered; the gradient holds both.
    The row of z is offered only, and has a gradient too.
    """
    model = GPT(random.Random(1), GPTConfig(C=4, H=2))
    letters = encode("bo")

    def loss(_):
        return name_loss(model, letters)

    loss(None).backward()
    (measured,) = nudge(loss, [model.tok_emb], h=1e-5)
    for x in (encode("b")[1], encode("z")[1]):
        assert_close(model.tok_emb.grad[x], measured[x], "nudges")
        assert np.all(model.tok_emb.grad[x] != 0.0)


def test_initial_spreads():
    """0.02 in the tables, 0.1 in matrices, less where a part adds to the road."""
    model = GPT(random.Random(1), GPTConfig(L=2))
    block = model.blocks[0]
    assert spread(model.tok_emb) == pytest.approx(0.02, rel=0.1)
    assert spread(model.pos_emb) == pytest.approx(0.02, rel=0.1)
    for part in (block.attn.qkv, block.mlp.up):
        assert spread(part.weight) == pytest.approx(0.1, rel=0.1)
    for part in (block.attn.proj, block.mlp.down):
        assert spread(part.weight) == pytest.approx(0.05, rel=0.15)
    assert spread(block.mlp.up.bias) == 0.0
    assert model.ln_f.weight.data.tolist() == [1.0] * 16
