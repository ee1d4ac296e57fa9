import math

import numpy as np
import pytest

from model.count import bits_per_byte
from model.data import Letters, Names, Text, batch
from model.stories import generate


def test_a_text_in_tokens():
    """The tokenizer learns from the text to learn from; what is held out stays unseen."""
    text = "the cat sat. " * 500 + "xy yx. " * 100
    data = Text(text, T=8, merges=20)
    assert b"xy" not in data.tokenizer.pieces and b" cat" in data.tokenizer.pieces
    held_out = text.encode()[len(text) * 9 // 10 :]
    assert data.tokenizer.decode(data.held_out) == held_out
    assert data.tokens_per_byte == len(data.held_out) / len(held_out)
    assert data.alphabet == len(set(text)) and 256 + len(data.tokenizer.merges) == data.V


def test_bits_per_byte_do_not_depend_on_the_pieces():
    """Who gives every token of n bytes the probability 2 ** -3n loses 3 bits per byte."""
    text = generate(2, 60_000)
    for merges in (0, 100):
        data = Text(text, T=8, merges=merges)
        bits = sum(3 * len(data.tokenizer.pieces[token]) for token in data.held_out)
        assert bits / len(data.held_out) * data.tokens_per_byte == pytest.approx(3)
    assert Names.tokens_per_byte == 1


@pytest.mark.parametrize("merges", [0, 100])
def test_bits_per_byte_are_those_of_the_bytes_that_were_measured(merges):
    """The end of this text, Chinese, has other tokens than the windows before it."""
    data = Text(generate(2, 60_000) + "你好" * 1000, T=8, merges=merges)
    batches = data.batches(held_out=True, size=2)[:5]
    tokens = np.concatenate([y.reshape(-1) for _, y in batches])
    loss = np.mean([3 * len(data.tokenizer.pieces[token]) for token in tokens]) * math.log(2)
    assert bits_per_byte(loss, batches, data) == pytest.approx(3)


def test_letters_are_the_tokens_of_names():
    tokenizer = Letters()
    assert tokenizer.encode(b"abe") == [1, 2, 5] and tokenizer.start("abe") == [0, 1, 2, 5]
    assert tokenizer.decode([0, 1, 2, 5]) == tokenizer.decode([1, 2, 5]) == b"abe"
    assert [*b"".join(tokenizer.pieces)] == [*b".abcdefghijklmnopqrstuvwxyz"] and tokenizer.V == 27


def test_bits_per_byte_of_names():
    """Each letter is a byte, and so is the end; what fills up a row is none."""
    data = Names.__new__(Names)
    assert bits_per_byte(math.log(2), [batch(["ab", "c"])], data) == pytest.approx(1)
