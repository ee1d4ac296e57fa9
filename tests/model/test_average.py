import random

import pytest

from engine.autograd import Tensor
from model.data import LONGEST, encode, read_names
from model.gpt import GPT


def vectors(*rows):
    return [[Tensor(number) for number in row] for row in rows]


def later_letters_change_nothing(model):
    """Logits and gradients at the places before a changed letter stay as they are, to the bit."""
    found = []
    for name in ("hannah", "hannxk"):
        for weight in model.parameters():
            weight.grad = 0.0
        logits = model(encode(name)[:-1])
        sum(row[3] for row in logits[:5]).backward()
        data = [[logit.data for logit in row] for row in logits]
        found.append((data, [weight.grad for weight in model.parameters()]))
    (logits, gradients), (changed, after) = found
    assert logits[:5] == changed[:5]
    assert logits[5:] != changed[5:]
    assert gradients == after


def test_later_letters_change_nothing_earlier():
    later_letters_change_nothing(GPT(random.Random(1)))


def test_the_first_letter_still_matters_at_the_end():
    model = GPT(random.Random(1))
    one = model(encode("annabella")[:-1])[-1]
    other = model(encode("onnabella")[:-1])[-1]
    assert [logit.data for logit in one] != [logit.data for logit in other]


def test_positions_tell_how_far_the_name_has_come():
    model = GPT(random.Random(1))
    logits = model([0] * 5)  # the same mark, and the same average but for positions
    assert [p.data for p in logits[2]] != pytest.approx([p.data for p in logits[4]], abs=1e-6)


def test_more_letters_than_positions():
    with pytest.raises(ValueError, match="GPT: got 17 letters; expected 16 at most"):
        GPT(random.Random(1))([0] * 17)


def test_a_name_of_16_letters_is_refused(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("a b c d e f g h i " + "x" * (LONGEST + 1))
    with pytest.raises(ValueError, match=r"names: got 'x+'; expected at most 15 letters"):
        read_names(path)
