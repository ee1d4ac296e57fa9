import itertools
import math
from collections import Counter

import pytest

from model.stories import floor, measure, parse, stories, window_gap
from tests.model.test_stories import SURE, every_story

# All its stories by hand: "xb" with 2/3 and "yyb" with 1/3, each with its blank line.
HAND = parse("story: {name}b\nonce name: x/yy")


@pytest.mark.parametrize("grammar", [SURE, HAND])
def test_entropy_and_length_are_those_of_all_stories_written_out(grammar):
    """Probabilities add up to 1, no text comes twice, and H and L agree to 1e-12."""
    probabilities, texts = zip(*every_story(grammar))
    assert math.fsum(probabilities) == pytest.approx(1, abs=1e-12)
    assert len(set(texts)) == len(texts)
    entropy, length, _ = measure(grammar)
    assert entropy == pytest.approx(math.fsum(-p * math.log(p) for p in probabilities), abs=1e-12)
    assert length == pytest.approx(
        math.fsum(p * len(text) for p, text in zip(probabilities, texts)), abs=1e-12
    )


def test_entropy_by_hand():
    """log 3 - 2/3 log 2 nats in 13/3 characters."""
    assert floor(HAND) == pytest.approx((math.log(3) - 2 / 3 * math.log(2)) / (13 / 3), abs=1e-15)


def test_floor_is_the_average_surprise_of_a_long_text():
    """10,000 stories, 4.5 million characters: 0.16 nats a character within 4 standard errors."""
    sample = list(itertools.islice(stories(2), 10_000))
    expected = floor()
    length = sum(len(text) for text, _ in sample)
    excess = [surprise - expected * len(text) for text, surprise in sample]
    error = math.sqrt(math.fsum(x * x for x in excess)) / length
    assert error < 0.0003
    assert abs(math.fsum(excess)) / length < 4 * error


def window_entropy(size, grammar):
    """The entropy of `size` characters cut out anywhere, from all windows there are."""

    def starts(size):
        """p of each text of `size` characters with which endless stories begin."""
        found = Counter()
        for p, text in every_story(grammar):
            if len(text) >= size:
                found[text[:size]] += p
            else:
                for tail, q in starts(size - len(text)).items():
                    found[text + tail] += p * q
        return found

    length = math.fsum(p * len(text) for p, text in every_story(grammar))
    windows = Counter()
    for p, text in every_story(grammar):
        for at in range(len(text)):
            rest = text[at : at + size]
            for tail, q in starts(size - len(rest)).items():
                windows[rest + tail] += p * q / length
    return math.fsum(-p * math.log(p) for p in windows.values())


@pytest.mark.parametrize("grammar", [SURE, HAND])
@pytest.mark.parametrize("T", [1, 2, 5, 8])
def test_best_loss_in_windows_is_above_the_floor_by_at_most_the_gap(grammar, T):
    """The best loss on T characters, each predicted from those of the window before it."""
    best = (window_entropy(T + 1, grammar) - window_entropy(1, grammar)) / T
    assert floor(grammar) < best < floor(grammar) + window_gap(T, grammar)


def test_gap_by_hand():
    """A window starts at one of 4 places of "xb", 2/13 each, or 5 places of "yyb", 1/13 each."""
    entropy = 8 / 13 * math.log(13 / 2) + 5 / 13 * math.log(13)
    assert window_gap(10, HAND) == pytest.approx(entropy / 10, abs=1e-15)


def test_gap_of_rules_by_hand():
    """Shares of the places: x 2/10, each y 1/10, each end of a line 3/10."""
    entropy = -0.2 * math.log(0.2) - 0.2 * math.log(0.1) - 0.6 * math.log(0.3)
    assert window_gap(1, parse("story: <a>\na: x/yy")) == pytest.approx(entropy, abs=1e-14)
