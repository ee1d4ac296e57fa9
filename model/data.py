"""Text as arrays of numbers: names, a row each, or windows of a long text."""

import hashlib
import random
from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np

from model.services.download import fetch
from model.stories import floor, generate
from model.tokenizer import learn

# "." marks both ends of a name.
LETTERS = ".abcdefghijklmnopqrstuvwxyz"
# With the mark before it a name fills the model's 16 positions.
LONGEST = 15
NAMES_FILE = Path(__file__).parent / "data" / "names.txt"
SHAKESPEARE = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
)
SHAKESPEARE_SIZE = 1_115_394
SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"


def read_names(path):
    """The names in a text file that holds one a line.

    Raises ValueError where the file is missing, is not text, holds fewer than 10 names,
    or holds a name with a character other than a-z or of more than LONGEST letters.
    """
    try:
        names = Path(path).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ValueError(f"names: got {path} ({reason}); expected a text file") from None
    if len(set(names)) < 10:
        raise ValueError(f"names: got {len(set(names))} names in {path}; expected at least 10")
    for name in names:
        encode(name)
        if len(name) > LONGEST:
            raise ValueError(f"names: got {name!r}; expected at most {LONGEST} letters")
    return names


def encode(name):
    """The numbers of a name's letters, with the mark 0 at both ends: abe -> [0, 1, 2, 5, 0]."""
    for letter in name:
        if letter not in LETTERS[1:]:
            raise ValueError(f"names: got {letter!r} in {name!r}; expected the letters a-z")
    return [0] + [LETTERS.index(letter) for letter in name] + [0]


def batch(names):
    """(x, y), each (B, T): a row a name, the letters that are given and those to predict.

    T is the longest name's. Shorter rows end in 0 in x and in -1, nothing to predict, in y.
    """
    T = max(len(name) for name in names) + 1
    x, y = np.zeros((len(names), T), dtype=int), np.full((len(names), T), -1)
    for row, name in enumerate(names):
        letters = encode(name)
        x[row, : len(letters) - 1] = letters[:-1]
        y[row, : len(letters) - 1] = letters[1:]
    return x, y


def decode(numbers):
    """The reverse of encode; the marks at the ends are left out."""
    return "".join(LETTERS[number] for number in numbers if number != 0)


class Letters:
    """The tokenizer of names: a token a letter, and the mark, token 0, at both ends of a name."""

    V, end, longest, samples = len(LETTERS), 0, LONGEST + 1, 10
    pieces = tuple(letter.encode() for letter in LETTERS)

    def encode(self, text):
        """b"abe" -> the tokens 1, 2, 5 of its letters."""
        return encode(text.decode())[1:-1]

    def decode(self, tokens):
        return decode(tokens).encode()

    def start(self, prompt):
        """The mark and the letters of a prompt, which may be ''."""
        if len(prompt) > LONGEST:
            raise ValueError(f"prompt: got {prompt!r}; expected at most {LONGEST} letters")
        return encode(prompt)[:-1]

    def state(self):
        return ["letters"]


def pairs(names):
    """Each letter or mark with the next one: abe -> (0, 1), (1, 2), (2, 5), (5, 0)."""
    return [pair for name in names for pair in zip(encode(name), encode(name)[1:])]


def split(names):
    """(names to learn from, names held out): every tenth one after a shuffle is held out."""
    shuffled = sorted(set(names))
    random.Random(1).shuffle(shuffled)
    return [name for i, name in enumerate(shuffled) if i % 10], shuffled[::10]


class Dataset(ABC):
    """Rows of tokens to learn from, and some held out: what names and texts have in common.

    tokenizer: turns bytes into tokens, numbers from 0 to V - 1, and back
    tokens_per_byte: the tokens of what is held out, over its bytes
    alphabet: how many kinds of bytes there are, for counting
    digest: of all that is learnt from; another one where the data are others
    floor: the best possible loss, in nats a byte, where it is known
    """

    @abstractmethod
    def batch(self, rng, size):
        """(x, y), each (size, T): rows to learn from, drawn at random, and what comes next.

        y is -1 where there is nothing to predict.
        """

    @abstractmethod
    def batches(self, held_out, size):
        """What is held out, or as much of what is to learn from, as a list of batches (x, y)."""

    @abstractmethod
    def contexts(self, held_out, memory):
        """(c, y) for counting: the `memory` bytes before each one, (N, memory), and it, (N)."""

    def bytes_in(self, y):
        """How many bytes the tokens y stand for; -1 is none."""
        lengths = np.array([len(piece) for piece in self.tokenizer.pieces])
        return lengths[y[y >= 0]].sum()


class Names(Dataset):
    """Names, each of them a row of its own; every tenth is held out."""

    tokenizer, tokens_per_byte, floor = Letters(), 1.0, None
    V = alphabet = tokenizer.V

    def __init__(self, path):
        self.train, self.held_out = split(read_names(path))
        self.digest = hashlib.sha256("\n".join(self.train).encode()).hexdigest()

    def batch(self, rng, size):
        """(x, y) of names drawn at random, each (size, T), T the longest name's as in batch."""
        return batch(rng.choices(self.train, k=size))

    def batches(self, held_out, size=256):
        """The held-out names, or as many of those to learn from, in batches."""
        names = self.held_out if held_out else self.train[: len(self.held_out)]
        return [batch(names[i : i + size]) for i in range(0, len(names), size)]

    def contexts(self, held_out, memory):
        """(c, y): the `memory` letters before each letter, (N, memory), and that letter, (N)."""
        names = self.held_out if held_out else self.train
        c, y = [], []
        for name in names:
            padded = [0] * (memory - 1) + encode(name)
            for t in range(max(memory, 1), len(padded)):
                c.append(padded[t - memory : t])
                y.append(padded[t])
        return np.array(c, dtype=int).reshape(len(y), memory), np.array(y)


class Text(Dataset):
    """A long text, seen through windows of T tokens; the last tenth is held out.

    merges: how many the tokenizer learns, from the text to learn from.
    """

    def __init__(self, text, T, merges=0, floor=None):
        text = text.encode()
        self.digest = hashlib.sha256(text).hexdigest()
        cut = len(text) * 9 // 10
        self.tokenizer = learn(text[:cut], merges)
        self.V, self.T, self.floor = self.tokenizer.V, T, floor
        self.train, self.held_out = (
            np.array(self.tokenizer.encode(part)) for part in (text[:cut], text[cut:])
        )
        got = len(self.held_out)
        if got < 2 * (T + 1):
            raise ValueError(f"data: got {got} tokens held out; expected {2 * (T + 1)} or more")
        self.tokens_per_byte = got / len(text[cut:])
        # For counting: the bytes, numbered from 0 to alphabet - 1.
        kinds, numbers = np.unique(np.frombuffer(text, np.uint8), return_inverse=True)
        self.alphabet = len(kinds)
        self.train_bytes, self.held_out_bytes = numbers[:cut], numbers[cut:]

    def batch(self, rng, size):
        """(x, y), each (size, T): windows that start anywhere, and the same one place later."""
        starts = [rng.randrange(len(self.train) - self.T) for _ in range(size)]
        places = np.array(starts)[:, None] + np.arange(self.T + 1)  # (size, T + 1)
        rows = self.train[places]
        return rows[:, :-1], rows[:, 1:]

    def batches(self, held_out, size=64):
        """Window after window of the held-out text, or of as much of the text to learn from, in
        batches; 65,536 tokens at most.
        """
        numbers = self.held_out if held_out else self.train
        count = min(len(self.held_out) - 1, 65_536) // self.T
        x, y = (numbers[k:][: count * self.T].reshape(count, self.T) for k in (0, 1))
        return [(x[i : i + size], y[i : i + size]) for i in range(0, count, size)]

    def contexts(self, held_out, memory):
        """(c, y): the `memory` bytes before each one, (N, memory), and that one, (N)."""
        numbers = self.held_out_bytes if held_out else self.train_bytes
        rows = np.lib.stride_tricks.sliding_window_view(numbers, memory + 1)
        return rows[:, :-1], rows[:, -1]


def shakespeare(url=SHAKESPEARE, path=Path("runs/shakespeare.txt")):
    """The path of 1.1 MB of Shakespeare's plays, downloaded when first asked for.

    Raises ValueError where they cannot be had, or are not the text that was expected.
    """
    return fetch(url, path, SHAKESPEARE_SIZE, SHAKESPEARE_SHA256)


def load_data(name, path=NAMES_FILE, T=64, merges=0):
    """The data that --data names: names, stories, shakespeare, or the text file at a path.

    Raises ValueError where a file is missing, is not text, or is too short.
    """
    if name == "names":
        return Names(path)
    if name == "stories":
        return Text(generate(seed=1, size=4_000_000), T, merges, floor())
    if name == "shakespeare":
        name = shakespeare()
    try:
        return Text(Path(name).read_text(encoding="utf-8"), T, merges)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ValueError(
            f"data: got {name} ({reason}); expected names, stories, shakespeare, or a text file"
        ) from None
