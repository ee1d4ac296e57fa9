import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.stories import generate
from model.tokenizer import WORDS, Tokenizer, learn, merge

ROOT = Path(__file__).parents[2]
STORIES = learn(generate(1, 50_000).encode(), 300)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@example(b"")
@example(b" \n\n \t the  cat\r\n")
@example("née 中文 🙂 '42'".encode())
@example(bytes(range(256)))
def test_any_bytes_come_back(text):
    assert STORIES.decode(STORIES.encode(text)) == text
    assert Tokenizer().encode(text) == list(text)
    assert b"".join(WORDS.findall(text)) == text


@given(st.text("abc ", max_size=60), st.integers(0, 20))
def test_any_bytes_come_back_after_learning_from_them(text, count):
    tokenizer = learn(text.encode(), count)
    tokens = tokenizer.encode(text.encode())
    assert tokenizer.decode(tokens) == text.encode()
    assert tokens == slowly(text.encode(), tokenizer.merges)


def slowly(text, merges):
    """All merges one after the other over all words, as they were learnt."""
    words = [list(word) for word in WORDS.findall(text)]
    for new, pair in enumerate(merges, start=256):
        words = [merge(word, pair, new) for word in words]
    return [token for word in words for token in word]


def learn_slowly(text, count):
    """The same rules with every pair counted anew after each merge."""
    words = [list(word) for word in WORDS.findall(text)]
    merges = []
    for new in range(256, 256 + count):
        pairs = Counter(pair for word in words for pair in zip(word, word[1:]))
        most = max(pairs.values(), default=0)
        if most < 2:
            break
        merges.append(min(pair for pair in pairs if pairs[pair] == most))
        words = [merge(word, merges[-1], new) for word in words]
    return merges


@given(st.text("ab c", max_size=80))
@example("aaa aaaa aaaaa")
@example("abab ababab baba")
def test_pairs_are_kept_in_step_with_counting_anew(text):
    assert learn(text.encode(), 12).merges == learn_slowly(text.encode(), 12)


def test_merges_by_hand():
    """ab stands there 3 times, then abc twice; no piece reaches beyond a word."""
    tokenizer = learn(b"abc.abc.ab", 10)
    assert tokenizer.merges == [(97, 98), (256, 99)]
    assert tokenizer.encode(b"abcab") == [257, 256]
    assert tokenizer.pieces[256:] == [b"ab", b"abc"] and tokenizer.V == 258


def test_of_equally_frequent_pairs_the_one_of_lower_numbers_comes_first():
    assert learn(b"zy.ab.zy.ab.", 1).merges == learn(b"ab.zy.ab.zy.", 1).merges == [(97, 98)]


def test_merge_goes_from_the_left():
    assert merge([1, 1, 1, 2, 1, 1], (1, 1), 9) == [9, 1, 2, 9]


def test_pieces_stay_inside_words():
    tokenizer = learn(b"the cat, the cat, the cat. " * 20, 100)
    assert tokenizer.pieces[-1] in WORDS.findall(b"the cat, the cat. ")
    assert all(len(WORDS.findall(piece)) == 1 for piece in tokenizer.pieces)


@pytest.mark.parametrize(
    "text, words",
    [
        (b"the cat", [b"the", b" cat"]),
        (b"a  b\n\nc ", [b"a", b" ", b" b", b"\n", b"\n", b"c", b" "]),
        (b'"No!" 42.5', [b'"', b"No", b'!"', b" 42", b".", b"5"]),
        ("é né".encode(), ["é".encode(), " né".encode()]),
    ],
)
def test_words(text, words):
    assert WORDS.findall(text) == words


def test_same_merges_in_every_process():
    """The order of sets of bytes differs from process to process; the merges do not."""
    code = "from tests.model.test_tokenizer import STORIES; print(STORIES.merges)"
    env = {"PYTHONPATH": str(ROOT)}
    outs = {
        subprocess.run([sys.executable, "-c", code], env=env | {"PYTHONHASHSEED": seed},
                       capture_output=True, check=True).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert outs == {f"{STORIES.merges}\n".encode()}


def test_a_thousand_merges_of_a_megabyte():
    """Longer pieces, fewer tokens. In seconds: pairs are not counted anew after each merge."""
    text = generate(1, 1_000_000).encode()
    tokenizer = learn(text, 1024)
    assert len(tokenizer.merges) == 1024 and b" grandmother" in tokenizer.pieces
    assert 3.9 < len(text) / len(tokenizer.encode(text)) < 4.1
