import random

import numpy as np
import pytest

from model.data import LONGEST, encode, read_names
from model.gpt import GPT
from tests.losses import name_logits


def later_letters_change_nothing(model):
    """Logits and gradients at the places before a changed token stay as they are, to the bit."""
    found = []
    for name in ("hannah", "hannxk"):
        for weight in model.parameters():
            weight.grad = None
        logits = name_logits(model, encode(name)[:-1])
        logits[:5, 3].sum().backward()
        found.append((logits.data, [weight.grad for weight in model.parameters()]))
    (logits, gradients), (changed, after) = found
    assert np.array_equal(logits[:5], changed[:5])
    assert not np.array_equal(logits[5:], changed[5:])
    assert all(np.array_equal(one, other) for one, other in zip(gradients, after))


def test_later_letters_change_nothing_earlier():
    later_letters_change_nothing(GPT(random.Random(1)))


def test_the_first_letter_still_matters_at_the_end():
    model = GPT(random.Random(1))
    one = name_logits(model, encode("annabella")[:-1])[-1]
    other = name_logits(model, encode("onnabella")[:-1])[-1]
    assert not np.array_equal(one.data, other.data)


def test_positions_tell_how_far_the_name_has_come():
    model = GPT(random.Random(1))
    logits = name_logits(model, encode("aaaa")[:-1])
    assert np.abs(logits[2].data - logits[4].data).max() > 1e-6


def test_more_tokens_than_positions():
    with pytest.raises(ValueError, match="GPT: got 17 tokens; expected 16 at most"):
        GPT(random.Random(1))(np.zeros((2, 17), dtype=int))


def test_a_name_of_16_letters_is_refused(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("a b c d e f g h i " + "x" * (LONGEST + 1))
    with pytest.raises(ValueError, match=r"names: got 'x+'; expected at most 15 letters"):
        read_names(path)
