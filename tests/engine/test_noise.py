import math
import random
import tracemalloc

import numpy as np
import pytest

from engine import noise
from engine.autograd import Tensor
from engine.module import matrix
from engine.noise import LOW, Noise, normal, philox, random_words
from engine.ops import dropout
from model.gpt import GPT

# philox4x32-10 in the file kat_vectors of the authors' library, Random123: the counter and the key,
# then the four words.
KNOWN = [
    (
        "00000000 00000000 00000000 00000000 00000000 00000000",
        "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def numbers(words):
    return [int(word, 16) for word in words.split()]


@pytest.mark.parametrize("given, expected", KNOWN)
def test_published_words(given, expected):
    assert list(philox(*numbers(given))) == numbers(expected)
    arrays = [np.full(3, x, np.uint64) for x in numbers(given)[:4]]
    for words, word in zip(philox(*arrays, *numbers(given)[4:]), numbers(expected)):
        assert words.tolist() == [word] * 3


def test_a_word_depends_on_its_place_only(monkeypatch):
    """However many are asked for, from wherever on, and however many are computed at a time."""
    monkeypatch.setattr(noise, "BLOCK", 3)
    seed, start = 5 + (7 << 32), 2**32 - 4
    words = random_words(seed, start, 50)
    monkeypatch.setattr(noise, "BLOCK", 4096)
    assert words.dtype == np.uint32 and words.shape == (50,)
    for skipped, n in ((0, 50), (1, 1), (3, 38), (12, 2), (5, 0)):
        expected = words[4 * skipped : 4 * skipped + n]
        assert random_words(seed, start + skipped, n).tolist() == expected.tolist()
    for i, word in enumerate(words.tolist()):
        counter = start + i // 4
        assert word == philox(counter & LOW, counter >> 32, 0, 0, 5, 7)[i % 4]


def test_the_last_counter_of_all():
    words = random_words(2**64 - 1, 2**64 - 2, 8).tolist()
    assert words[4:] == list(philox(LOW, LOW, 0, 0, LOW, LOW))


def test_no_word_is_given_out_twice():
    stream, sizes = Noise(seed=9), [5, 4, 1, 0, 8]
    places = [stream.take(n) for n in sizes]
    assert {seed for seed, _ in places} == {9}
    counters = [
        start + i // 4 for (_, start), n in zip(places, sizes) for i in range(-(-n // 4) * 4)
    ]
    assert counters == [i // 4 for i in range(len(counters))]
    assert stream.offset == len(counters) // 4


def streams():
    """A million words of one seed, in order; and as many of one counter, four from each seed."""
    in_order = random_words(1, 0, 1_000_000)
    seeds = np.arange(250_000, dtype=np.uint64)
    return in_order, np.stack(philox(3, 0, 0, 0, seeds, 0), axis=1).astype(np.uint32).reshape(-1)


@pytest.mark.parametrize("words", streams(), ids=["counters", "seeds"])
def test_words_are_as_good_as_drawn(words):
    """Words fairly drawn fail with a chance below one in ten thousand; these are always the same.

    Each bit is 1 in half of the words, and the same as in the next word in half of them: 64 shares
    within 5 standard errors. Of each of the four bytes all 256 values are as frequent: chi-square
    of 255 degrees of freedom, within 5 standard deviations.
    """
    bits = (words[:, None] >> np.arange(32, dtype=np.uint32)) & 1
    for shares in (bits.mean(axis=0), (bits[1:] == bits[:-1]).mean(axis=0)):
        assert np.abs(shares - 0.5).max() < 5 * 0.5 / np.sqrt(len(words) - 1)
    for shift in (0, 8, 16, 24):
        found = np.bincount((words >> np.uint32(shift)) & 255, minlength=256)
        expected = len(words) / 256
        chi_square = ((found - expected) ** 2 / expected).sum()
        assert abs(chi_square - 255) < 5 * np.sqrt(2 * 255)


def test_dropout_leaves_out_where_a_word_is_small():
    x = Tensor(np.arange(1.0, 22.0).reshape(3, 7))
    stream = Noise(seed=4)
    stream.offset = 6
    y = dropout(x, 0.3, stream)
    small = random_words(4, 6, 21).reshape(3, 7) < 0.3 * 2**32
    assert 0 < small.sum() < 21
    assert np.array_equal(y.data, np.where(small, 0.0, x.data * (1 / 0.7)))
    assert stream.offset == 6 + 6


def test_the_way_back_leaves_out_the_same_whatever_was_drawn_since():
    x, stream = Tensor(np.ones(1000)), Noise(seed=1)
    one, other = dropout(x, 0.5, stream), dropout(x, 0.5, stream)
    assert not np.array_equal(one.data, other.data)
    (one * 1.0 + other * 10.0).sum().backward()
    assert np.array_equal(x.grad, one.data + 10 * other.data)


def test_nothing_of_the_size_of_x_is_kept():
    x, stream = Tensor(np.ones(100_000)), Noise(seed=1)
    dropout(x, 0.5, stream)
    tracemalloc.start()
    try:
        y = dropout(x, 0.5, stream)
        kept = tracemalloc.get_traced_memory()[0] - y.data.nbytes
    finally:
        tracemalloc.stop()
    assert kept < 10_000


def test_a_model_counts_from_the_same_place():
    assert GPT(random.Random(1)).noise.take(8) == GPT(random.Random(2)).noise.take(8) == (2, 0)


def test_normal_numbers_spread_as_they_should():
    """Fair ones fail with a chance below one in ten thousand; these are always the same.

    Within 5 standard errors: the mean, the mean of squares, of products of neighbours, and the
    shares that lie within 1, 2 and 3 of 0.
    """
    x = normal(1, 1_000_000)
    assert x.dtype == np.float64 and x.shape == (1_000_000,)
    error = 5 / np.sqrt(len(x))
    assert abs(x.mean()) < error
    assert abs((x * x).mean() - 1) < np.sqrt(2) * error
    for one, other in ((x[::2], x[1::2]), (x[:-2:2], x[2::2]), (x[1:-1:2], x[2::2])):
        assert abs((one * other).mean()) < np.sqrt(2) * error
    for bound in (1, 2, 3):
        share = math.erf(bound / math.sqrt(2))
        found = (np.abs(x) < bound).mean()
        assert abs(found - share) < np.sqrt(share * (1 - share)) * error


def test_a_normal_number_depends_on_its_place_only(monkeypatch):
    whole = normal(3, 100_001)
    assert np.array_equal(normal(3, 70), whole[:70])
    monkeypatch.setattr(noise, "BLOCK", 10)
    assert np.array_equal(normal(3, 1001), whole[:1001])
    assert not np.array_equal(normal(4, 70), whole[:70])


@pytest.mark.parametrize("word", [0, 1, LOW])
def test_no_word_makes_an_endless_number(monkeypatch, word):
    monkeypatch.setattr(noise, "random_words", lambda seed, offset, n: np.full(n, word, np.uint32))
    assert np.abs(normal(1, 4)).max() < 7


def test_a_matrix_takes_one_number_of_the_generator():
    """The rest is counted. So a large one takes no longer to draw than to compute with."""

    class Once:
        def __init__(self, seed):
            self.seeds = [seed]

        def getrandbits(self, bits):
            assert bits == 64
            return self.seeds.pop()

    w = matrix(Once(2**64 - 1), 30, 7, scale=0.5)
    assert w.dtype == np.float64
    assert np.array_equal(w.data, 0.5 * normal(2**64 - 1, 210).reshape(30, 7))
    rng = random.Random(1)
    first, second = matrix(rng, 3, 4), matrix(rng, 3, 4)
    assert not np.array_equal(first.data, second.data)
    assert np.array_equal(first.data, matrix(random.Random(1), 3, 4).data)
