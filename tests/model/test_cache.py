import random
from dataclasses import replace

import numpy as np
import pytest

from engine.autograd import no_grad
from model import sample
from model.cache import Cache
from model.data import Letters
from model.gpt import CONFIGS, GPT, GPTConfig, next_token
from model.sample import continuation, sample_text
from tests.compare import assert_close

# A model like tiny, and one with GPT-2's vocabulary of test_gpt2.py and its twelve blocks.
STORIES = replace(CONFIGS["tiny"], V=300)
GPT2 = GPTConfig(V=266, T=12, C=8, H=2, L=12)


def sharp(config, dtype=np.float64):
    """A model whose tokens depend on each other, as those of a trained one do."""
    model = GPT(random.Random(1), replace(config, scale=0.3))
    for weight in model.parameters():
        weight.data = 2 * weight.data
    return model.to(dtype).eval()


def read(model, tokens, counts):
    """The logits at all places, read with a cache in portions of so many tokens."""
    cache, parts, ends = Cache(model), [], np.cumsum(counts)
    with no_grad():
        for portion in np.split(tokens, ends[:-1], axis=1):
            parts.append(model(portion, cache).data)
            assert cache.length == sum(part.shape[1] for part in parts)
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("config", [STORIES, GPT2], ids=["stories", "gpt2"])
@pytest.mark.parametrize("dtype, kind", [("float32", "published"), ("float64", "float64")])
def test_logits_at_every_place_are_those_of_the_whole_model(config, dtype, kind):
    model, T = sharp(config, dtype), config.T
    tokens = np.random.default_rng(1).integers(0, config.V, (2, T))
    expected = model(tokens).data
    for counts in ([1] * T, [T], [T - 7, 1, 4, 1, 1]):
        assert_close(read(model, tokens, counts), expected, kind)


def test_more_places_than_a_block_of_attention_has():
    model = sharp(GPTConfig(V=30, T=200, C=8, H=2, L=2))
    tokens = np.random.default_rng(1).integers(0, 30, (1, 200))
    assert_close(read(model, tokens, [3, 130, 1, 66]), model(tokens).data)


@pytest.mark.parametrize("config", [STORIES, GPT2], ids=["stories", "gpt2"])
def test_the_text_is_that_without_a_cache(monkeypatch, config):
    """Probabilities and tokens, also after the window is full, and again full."""
    model, T, shown = sharp(config, np.float32), config.T, []

    def without(model, tokens, cache, **choice):
        shown.append(len(tokens))
        return next_token(model, tokens, **choice)

    def both(model, tokens, cache, **choice):
        p = next_token(model, tokens, cache=cache, **choice)
        assert_close(p, next_token(model, tokens, **choice), "published")
        return p

    def text(choose):
        monkeypatch.setattr(sample, "next_token", choose)
        return list(continuation(model, random.Random(1), [1, 2, 3], 2 * T + 5, top_p=0.95))

    written = text(next_token)
    assert len(set(written)) > 5 and written == text(without) == text(both)
    again = [*range(T // 2 + 1, T + 1)]
    assert shown == ([*range(3, T + 1)] + 4 * again)[: 2 * T + 5]


def test_each_token_is_read_once_until_the_window_is_full(monkeypatch):
    counts, whole = [], GPT.__call__

    def counting(model, tokens, cache):
        counts.append(tokens.shape[1])
        return whole(model, tokens, cache)

    monkeypatch.setattr(GPT, "__call__", counting)
    model = GPT(random.Random(1), GPTConfig(V=20, T=8, C=4, H=2))
    list(continuation(model, random.Random(1), range(5), 12))
    assert counts == [5, 1, 1, 1, 5, 1, 1, 1, 5, 1, 1, 1]
    counts.clear()
    list(continuation(model, random.Random(1), range(20), 2))
    assert counts == [8, 5]


def test_a_window_of_one_token():
    model = GPT(random.Random(1), GPTConfig(V=20, T=1, C=4, H=2))
    assert len(list(continuation(model, random.Random(1), [3], 4))) == 4


def test_names_are_those_without_a_cache(monkeypatch):
    model = sharp(CONFIGS["names"])

    def ten():
        return [sample_text(model, random.Random(n), Letters(), 20, "ma") for n in range(10)]

    with_cache = ten()
    monkeypatch.setattr(
        sample, "next_token", lambda model, tokens, cache: next_token(model, tokens)
    )
    assert ten() == with_cache


def test_no_more_tokens_than_positions():
    model = GPT(random.Random(1), GPTConfig(T=4, C=4, H=2))
    cache = Cache(model)
    with no_grad():
        model(np.array([[1, 2, 3]]), cache)
        with pytest.raises(ValueError, match="GPT: got 5 tokens; expected 4 at most"):
            model(np.array([[1, 2]]), cache)
    assert cache.length == 3


def test_nothing_is_recorded_through_a_cache():
    model = GPT(random.Random(1))
    with pytest.raises(ValueError, match="got a cache to be recorded; expected one inside no_grad"):
        model(np.array([[1, 2]]), Cache(model))


def test_a_refused_batch_changes_nothing():
    model = GPT(random.Random(1))
    cache = Cache(model)
    with no_grad():
        model(np.array([[1, 2]]), cache)
        with pytest.raises(ValueError, match="cache: got 2 rows; expected 1, as before"):
            model(np.array([[3], [4]]), cache)
    assert cache.length == 2


@pytest.mark.parametrize("tokens", [[], [1], [1, 2]])
def test_a_token_is_left_to_read(tokens):
    model = GPT(random.Random(1))
    cache = Cache(model)
    with no_grad():
        model(np.array([[1, 2]]), cache)
    with pytest.raises(ValueError, match=r"next_token: got \d tokens, 2 of them read"):
        next_token(model, tokens, cache=cache)


def test_where_tokens_look_is_told_of_whole_rows_only():
    """With a cache a call has the questions of its last tokens and no offers of those before."""
    model = GPT(random.Random(1))
    attn, cache = model.blocks[0].attn, Cache(model)
    attn.watched = True
    with no_grad():
        model(np.array([[1, 2, 3]]))
        model(np.array([[1, 2]]), cache)
        model(np.array([[3]]), cache)
    assert attn.looks.shape == (1, 4, 3, 3)
