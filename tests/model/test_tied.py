import math
import random

import pytest

from engine.nudge import nudge
from model.data import NAMES_FILE, encode, read_names, split
from model.gpt import GPT, V, name_loss
from model.train import average_loss


def spread(weights):
    numbers = [weight.data for weight in weights]
    return math.sqrt(math.fsum(number**2 for number in numbers) / len(numbers))


def test_4000_weights():
    assert len(GPT(random.Random(1)).parameters()) == 4000


def test_untrained_loss_is_log_27():
    """Within 0.03, on names from the list: an untrained model is not sure of anything."""
    for seed in range(3):
        loss = average_loss(GPT(random.Random(seed)), split(read_names(NAMES_FILE))[1][:30])
        assert loss == pytest.approx(math.log(V), abs=0.03)


def test_a_tied_row_gets_the_gradients_of_both_its_uses():
    """A nudge of the row of b moves what is read and what is offered; the gradient holds both.
    The row of z is offered only, and has a gradient too.
    """
    model = GPT(random.Random(1), C=4, H=2)
    letters = encode("bo")

    def loss(_):
        return name_loss(model, letters)

    loss(None).backward()
    for x in (encode("b")[1], encode("z")[1]):
        row = model.tok_emb[x]
        assert [w.grad for w in row] == pytest.approx(nudge(loss, row, h=1e-5), abs=1e-6)
        assert all(w.grad != 0.0 for w in row)


def test_initial_spreads():
    """0.02 in the tables, 0.1 in matrices, less where a part adds to the road."""
    model = GPT(random.Random(1), L=2)
    block = model.blocks[0]
    assert spread(w for row in model.tok_emb for w in row) == pytest.approx(0.02, rel=0.1)
    assert spread(w for row in model.pos_emb for w in row) == pytest.approx(0.02, rel=0.1)
    for part in (block.attn.qkv, block.mlp.up):
        assert spread(w for row in part.weight for w in row) == pytest.approx(0.1, rel=0.1)
    for part in (block.attn.proj, block.mlp.down):
        assert spread(w for row in part.weight for w in row) == pytest.approx(0.05, rel=0.15)
    assert spread(block.mlp.up.bias) == 0.0
    assert [w.data for w in model.ln_f.weight] == [1.0] * 16
