import random

import numpy as np
import pytest

from engine.autograd import no_grad
from model import sample
from model.cache import Cache
from model.gpt import CONFIGS, GPT, next_letter
from model.sample import continuation, sample_name
from tests.compare import assert_close

# A model for stories, and one with GPT-2's vocabulary of test_gpt2.py and its twelve blocks.
STORIES = {"V": 300, **CONFIGS["tiny"]}
GPT2 = {"V": 266, "T": 12, "C": 8, "H": 2, "L": 12}


def sharp(sizes, dtype=np.float64):
    """A model whose letters depend on each other, as those of a trained one do."""
    model = GPT(random.Random(1), **sizes, scale=0.3)
    for weight in model.parameters():
        weight.data = 2 * weight.data
    return model.to(dtype).eval()


def read(model, letters, counts):
    """The logits at all places, read with a cache in portions of so many letters."""
    cache, parts, ends = Cache(model), [], np.cumsum(counts)
    with no_grad():
        for portion in np.split(letters, ends[:-1], axis=1):
            parts.append(model(portion, cache).data)
            assert cache.length == sum(part.shape[1] for part in parts)
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("sizes", [STORIES, GPT2], ids=["stories", "gpt2"])
@pytest.mark.parametrize("dtype, kind", [("float32", "published"), ("float64", "float64")])
def test_logits_at_every_place_are_those_of_the_whole_model(sizes, dtype, kind):
    model, T = sharp(sizes, dtype), sizes["T"]
    letters = np.random.default_rng(1).integers(0, sizes["V"], (2, T))
    expected = model(letters).data
    for counts in ([1] * T, [T], [T - 7, 1, 4, 1, 1]):
        assert_close(read(model, letters, counts), expected, kind)


def test_more_places_than_a_block_of_attention_has():
    model = sharp({"V": 30, "T": 200, "C": 8, "H": 2, "L": 2})
    letters = np.random.default_rng(1).integers(0, 30, (1, 200))
    assert_close(read(model, letters, [3, 130, 1, 66]), model(letters).data)


@pytest.mark.parametrize("sizes", [STORIES, GPT2], ids=["stories", "gpt2"])
def test_the_text_is_that_without_a_cache(monkeypatch, sizes):
    """Probabilities and letters, also after the window is full, and again full."""
    model, T, shown = sharp(sizes, np.float32), sizes["T"], []

    def without(model, letters, cache, **choice):
        shown.append(len(letters))
        return next_letter(model, letters, **choice)

    def both(model, letters, cache, **choice):
        p = next_letter(model, letters, cache=cache, **choice)
        assert_close(p, next_letter(model, letters, **choice), "published")
        return p

    def text(choose):
        monkeypatch.setattr(sample, "next_letter", choose)
        return list(continuation(model, random.Random(1), [1, 2, 3], 2 * T + 5, top_p=0.95))

    written = text(next_letter)
    assert len(set(written)) > 5 and written == text(without) == text(both)
    again = [*range(T // 2 + 1, T + 1)]
    assert shown == ([*range(3, T + 1)] + 4 * again)[: 2 * T + 5]


def test_each_letter_is_read_once_until_the_window_is_full(monkeypatch):
    counts, whole = [], GPT.__call__

    def counting(model, letters, cache):
        counts.append(letters.shape[1])
        return whole(model, letters, cache)

    monkeypatch.setattr(GPT, "__call__", counting)
    model = GPT(random.Random(1), V=20, T=8, C=4, H=2)
    list(continuation(model, random.Random(1), range(5), 12))
    assert counts == [5, 1, 1, 1, 5, 1, 1, 1, 5, 1, 1, 1]
    counts.clear()
    list(continuation(model, random.Random(1), range(20), 2))
    assert counts == [8, 5]


def test_a_window_of_one_letter():
    model = GPT(random.Random(1), V=20, T=1, C=4, H=2)
    assert len(list(continuation(model, random.Random(1), [3], 4))) == 4


def test_names_are_those_without_a_cache(monkeypatch):
    model = sharp({})
    with_cache = [sample_name(model, random.Random(seed), "ma") for seed in range(10)]
    monkeypatch.setattr(
        sample, "next_letter", lambda model, letters, cache: next_letter(model, letters)
    )
    assert [sample_name(model, random.Random(seed), "ma") for seed in range(10)] == with_cache


def test_no_more_letters_than_positions():
    model = GPT(random.Random(1), T=4, C=4, H=2)
    cache = Cache(model)
    with no_grad():
        model(np.array([[1, 2, 3]]), cache)
        with pytest.raises(ValueError, match="GPT: got 5 letters; expected 4 at most"):
            model(np.array([[1, 2]]), cache)
    assert cache.length == 3


def test_nothing_is_recorded_through_a_cache():
    model = GPT(random.Random(1))
    with pytest.raises(ValueError, match="got a past to be recorded; expected one inside no_grad"):
        model(np.array([[1, 2]]), Cache(model))


def test_a_refused_batch_changes_nothing():
    model = GPT(random.Random(1))
    cache = Cache(model)
    with no_grad():
        model(np.array([[1, 2]]), cache)
        with pytest.raises(ValueError, match="cache: got 2 rows; expected 1, as before"):
            model(np.array([[3], [4]]), cache)
    assert cache.length == 2


@pytest.mark.parametrize("letters", [[], [1], [1, 2]])
def test_a_letter_is_left_to_read(letters):
    model = GPT(random.Random(1))
    cache = Cache(model)
    with no_grad():
        model(np.array([[1, 2]]), cache)
    with pytest.raises(ValueError, match=r"next_letter: got \d letters, 2 of them read"):
        next_letter(model, letters, cache=cache)
