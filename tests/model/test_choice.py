import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.data import Letters
from model.gpt import GPT, next_token, top_k_top_p
from model.sample import sample_text

P = np.array([0.1, 0.4, 0.2, 0.3])


@pytest.mark.parametrize(
    "top_k, top_p, expected",
    [
        (None, 1.0, [0.1, 0.4, 0.2, 0.3]),
        (2, 1.0, [0, 4 / 7, 0, 3 / 7]),
        (1, 1.0, [0, 1, 0, 0]),
        (9, 1.0, [0.1, 0.4, 0.2, 0.3]),
        (None, 0.6, [0, 4 / 7, 0, 3 / 7]),  # 0.4 is not enough, 0.7 is
        (None, 0.75, [0, 4 / 9, 2 / 9, 3 / 9]),
        (None, 1e-9, [0, 1, 0, 0]),
        (3, 0.7, [0, 4 / 7, 0, 3 / 7]),  # of three: 4/9, 7/9, 1
        (3, 0.8, [0, 4 / 9, 2 / 9, 3 / 9]),
    ],
)
def test_by_hand(top_k, top_p, expected):
    assert top_k_top_p(P, top_k, top_p) == pytest.approx(expected)


@given(
    st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=20),
    st.none() | st.integers(1, 25),
    st.floats(0.01, 1.0),
)
def test_the_largest_stay_in_their_proportions(weights, top_k, top_p):
    p = np.array(weights) / sum(weights)
    q = top_k_top_p(p, top_k, top_p)
    kept = q > 0
    assert q.sum() == pytest.approx(1) and 1 <= kept.sum() <= (top_k or 20)
    assert not kept.all() or q == pytest.approx(p)
    assert kept.all() or p[kept].min() >= p[~kept].max()
    assert q[kept] / p[kept] == pytest.approx(np.full(kept.sum(), 1 / p[kept].sum()))


def test_a_long_tail_stays_unless_it_is_asked_to_go():
    """In float32 the sum of many small shares runs past 1 before its end."""
    p = np.full(50_000, 1 / 50_000, np.float32)
    assert np.count_nonzero(top_k_top_p(p)) == 50_000


def test_ties_are_broken_by_number():
    assert top_k_top_p(np.full(4, 0.25), top_k=2).tolist() == [0.5, 0.5, 0, 0]


def test_the_most_probable_token_only():
    """With top_k = 1 nothing is left to chance."""
    model = GPT(random.Random(1))
    names = {sample_text(model, random.Random(n), Letters(), 20, top_k=1) for n in range(5)}
    assert len(names) == 1
    assert np.count_nonzero(next_token(model, [0, 1], top_k=3)) == 3


@pytest.mark.parametrize(
    "wrong",
    [{"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}, {"top_p": np.nan}, {"temperature": np.nan}],
)
def test_choices_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=r"(top-k|top-p|temperature): got .*; expected"):
        next_token(GPT(random.Random(1)), [0], **wrong)
