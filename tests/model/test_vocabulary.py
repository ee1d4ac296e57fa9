import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.stories import generate
from model.tokenizer import learn
from model.vocabulary import LETTERS, ORDER, read_vocabulary, split

ROOT = Path(__file__).parents[2]
# The first lines of the published file.
FIRST = "#version: 0.2\nĠ t\nĠ a\nh e\ni n\nr e\no n\nĠt he\ne r\nĠ s\n"


def write(path, merges):
    """Merges over plain bytes in the form of GPT-2's file."""
    letter = dict(zip(ORDER, LETTERS))
    pieces = [letter[byte] for byte in range(256)]
    lines = ["#version: 0.2"]
    for a, b in merges:
        lines.append(f"{pieces[a]} {pieces[b]}")
        pieces.append(pieces[a] + pieces[b])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return lines[1:]


@pytest.fixture(scope="module")
def stories(tmp_path_factory):
    """(Tokenizer, lines of its file) of 300 merges learnt from stories."""
    path = tmp_path_factory.mktemp("vocabulary") / "merges.txt"
    lines = write(path, learn(generate(1, 50_000).encode(), 300).merges)
    return read_vocabulary(path), lines


def test_bytes_stand_for_themselves_or_for_the_letters_from_256_on():
    assert len(LETTERS) == len(ORDER) == len(set(LETTERS)) == len(set(ORDER)) == 256
    shown = dict(zip(ORDER, LETTERS))
    assert (shown[ord("a")], shown[ord(" ")], shown[ord("\n")]) == ("a", "Ġ", "Ċ")


def test_the_numbers_of_the_published_vocabulary(tmp_path):
    """Those of its first bytes and merges: "!" is 0, a new line 198, a space 220, " the" 262."""
    path = tmp_path / "merges.txt"
    path.write_text(FIRST, encoding="utf-8")
    tokenizer = read_vocabulary(path)
    for text, token in [("!", 0), ("A", 32), ("\n", 198), (" ", 220), ("he", 258), (" the", 262)]:
        assert tokenizer.encode(text.encode()) == [token]
    assert tokenizer.encode(b"here in the tin") == [258, 260, 220, 259, 262, 256, 259]
    assert tokenizer.end == 256 + 9 and tokenizer.V == 256 + 9 + 1


def published_way(text, lines):
    """GPT-2's algorithm as it was published, on strings of letters."""
    rank, shown = (
        {tuple(line.split()): k for k, line in enumerate(lines)},
        dict(zip(ORDER, LETTERS)),
    )
    pieces = []
    for word in split(text):
        parts = [shown[byte] for byte in word]
        while len(parts) > 1:
            best = min(zip(parts, parts[1:]), key=lambda pair: rank.get(pair, 10**9))
            if best not in rank:
                break
            merged, i = [], 0
            while i < len(parts):
                both = tuple(parts[i : i + 2]) == best
                merged.append("".join(parts[i : i + 2]) if both else parts[i])
                i += 2 if both else 1
            parts = merged
        pieces += parts
    return pieces


@given(st.binary(max_size=100) | st.text(max_size=60).map(str.encode))
@example(b"They're in the barn, aren't they?  It'S 12:30\n\n")
@example("née 中文 🙂 ٣٤ ½".encode())
@example(b"\xff\xfe\xed\xa0\x80 <|endoftext|>")
def test_any_bytes_come_back_and_are_cut_as_published(stories, text):
    tokenizer, lines = stories
    tokens = tokenizer.encode(text)
    assert tokenizer.decode(tokens) == text == b"".join(split(text))
    letter = dict(zip(ORDER, LETTERS))
    found = ["".join(letter[byte] for byte in tokenizer.pieces[token]) for token in tokens]
    assert found == published_way(text, lines)


@pytest.mark.parametrize(
    "text, words",
    [
        ("It's 12 o'clock", ["It", "'s", " 12", " o", "'", "clock"]),
        ("we'll née", ["we", "'ll", " née"]),
        ("a  b\n\n c", ["a", " ", " b", "\n\n", " c"]),
        ("٣٤½ 中文", ["٣٤½", " 中文"]),
    ],
)
def test_words(text, words):
    assert split(text.encode()) == [word.encode() for word in words]


def test_nobody_writes_the_end_of_a_text_by_accident(stories):
    tokenizer, _ = stories
    tokens = tokenizer.encode(b"the end <|endoftext|> of the story")
    assert tokenizer.end not in tokens and tokenizer.end == tokenizer.V - 1
    assert tokenizer.decode([tokenizer.end]) == b"<|endoftext|>"
    assert learn(b"no mark here", 2).end is None


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "got No such file or directory at .*; expected GPT-2's merges.txt"),
        ("#version: 0.2\nh e\nhe x y\n", "got line 3 of .*; expected two pieces made before"),
        ("#version: 0.2\nhe r\n", "got line 2 of .*; expected two pieces made before"),
        ("#version: 0.2\n\nh e\n", "got line 2 of"),
        (b"\xff\xfe", "got line 2 of"),
    ],
)
def test_files_that_are_no_vocabulary(tmp_path, content, message):
    path = tmp_path / "merges.txt"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=f"vocabulary: {message}"):
        read_vocabulary(path)


def test_blank_lines_at_the_end_are_no_merges(tmp_path):
    path = tmp_path / "merges.txt"
    for blank in ("", "\n", "\n\n"):
        path.write_text(FIRST + blank, encoding="utf-8")
        assert read_vocabulary(path).V == 256 + 9 + 1


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_not_waited_for(tmp_path, make):
    """Nobody will ever write into this pipe."""
    make(tmp_path / "merges.txt")
    code = "import sys, pathlib; from model.vocabulary import read_vocabulary as read\n"
    code += "try: read(pathlib.Path(sys.argv[1]))\nexcept ValueError as error: print(error)"
    command = [sys.executable, "-c", code, str(tmp_path / "merges.txt")]
    environment = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("vocabulary: got a folder or a pipe at ") and not done.stderr


def test_the_whole_published_vocabulary():
    """Only where a reader has it: see the section of this step."""
    path = ROOT / "runs/gpt2/merges.txt"
    if not path.exists():
        pytest.skip("no runs/gpt2/merges.txt")
    tokenizer = read_vocabulary(path)
    assert (tokenizer.V, tokenizer.end) == (50_257, 50_256)
    assert tokenizer.encode(b"Hello world") == [15496, 995]
