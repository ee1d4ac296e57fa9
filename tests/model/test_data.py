import random

import numpy as np
import pytest

from model.data import NAMES_FILE, Dataset, Names, Text, decode, encode, pairs, read_names, split
from tests.few_names import FewNames


def test_encode_and_decode_are_each_others_reverse():
    assert encode("abe") == [0, 1, 2, 5, 0]
    assert decode(encode("abe")) == "abe"


def test_pairs_include_both_ends():
    assert pairs(["abe"]) == [(0, 1), (1, 2), (2, 5), (5, 0)]


def test_list_of_names_is_clean():
    """About 3,000 names, sorted, none twice, 2 to 15 letters, a-z only."""
    names = read_names(NAMES_FILE)
    assert 2900 <= len(names) <= 3300
    assert names == sorted(set(names))
    assert all(2 <= len(name) <= 15 for name in names)


def test_held_out_names_are_a_tenth_and_never_learnt_from():
    names = read_names(NAMES_FILE)
    train, held_out = split(names)
    assert len(held_out) == -(-len(names) // 10)
    assert sorted(train + held_out) == names


def test_split_does_not_depend_on_the_order_of_the_file():
    names = read_names(NAMES_FILE)
    shuffled = random.Random(5).sample(names, len(names))
    assert split(shuffled) == split(names)


@pytest.mark.parametrize(
    "content, message",
    [
        (None, r"names: got .*names\.txt \(No such file or directory\); expected a text file"),
        (b"ann\n" * 10, r"names: got 1 names in .*; expected at least 10"),
        (b"", r"names: got 0 names in .*; expected at least 10"),
        (b"\xff\xfe", r"names: got .* \(not UTF-8 text\); expected a text file"),
        (
            b"a b c d e f g h i o'neil\n",
            r"names: got \"'\" in \"o'neil\"; expected the letters a-z",
        ),
        (b"a b c d e f g h i Bob\n", r"names: got 'B' in 'Bob'; expected the letters a-z"),
    ],
)
def test_unusable_file_gets_one_clear_line(tmp_path, content, message):
    path = tmp_path / "names.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_names(path)


def test_batches_are_drawn_from_the_names_to_learn_from():
    data = Names(NAMES_FILE)
    x, y = data.batch(random.Random(1), 64)
    assert x.shape == y.shape and len(x) == 64
    names = [decode(row) for row in x]
    assert set(names) <= set(data.train) and len(set(names)) > 50
    same, _ = data.batch(random.Random(1), 64)
    assert np.array_equal(x, same)


def test_batches_hold_each_held_out_name_once():
    data = Names(NAMES_FILE)
    rows = [row for x, _ in data.batches(held_out=True, size=100) for row in x]
    assert [decode(row) for row in rows] == data.held_out


def test_contexts_are_the_letters_before_each_letter():
    data = FewNames(["abe"])
    contexts, y = data.contexts(held_out=False, memory=2)
    assert y.tolist() == [1, 2, 5, 0]
    assert contexts.tolist() == [[0, 0], [0, 1], [1, 2], [2, 5]]
    assert data.contexts(held_out=False, memory=0)[0].shape == (4, 0)


def test_a_data_set_answers_all_that_is_asked_of_one():
    class Half(Dataset):
        characters = "ab"

        def batch(self, rng, size):
            return np.zeros((size, 4), int), np.zeros((size, 4), int)

    with pytest.raises(TypeError, match=r"batches.*contexts"):
        Half()
    assert issubclass(Names, Dataset) and issubclass(Text, Dataset)
