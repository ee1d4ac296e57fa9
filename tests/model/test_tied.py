import random

import pytest

from engine.nudge import nudge
from engine.ops import dot
from model.data import encode
from model.gpt import GPT, name_loss


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


def test_a_logit_is_the_dot_of_a_row_with_the_road():
    """Where the road is the row of a letter, that row is compared with itself, after LayerNorm."""
    model = GPT(random.Random(1), C=4, H=2)
    for weight in (w for row in model.pos_emb for w in row):
        weight.data = 0.0
    for part in (model.blocks[0].attn.proj, model.blocks[0].mlp.down):
        for weight in part.parameters():
            weight.data = 0.0
    (logits,) = model([3])
    row = model.tok_emb[3]
    assert logits[3].data == pytest.approx(dot(row, model.ln_f(row)).data)


def test_4000_weights():
    assert len(GPT(random.Random(1)).parameters()) == 4000
