"""GPT-2's own vocabulary: 256 bytes, 50,000 merges, and one mark for the end of a text.

Its published file, merges.txt, has a line a merge, such as "Ġ t". Each letter in it stands for a
byte: the 188 bytes that print as a letter or sign stand for themselves, and the other 68, in
their order, are written as the letters with the numbers 256 to 323, so that the space is Ġ.
Radford and others, 2019.
"""

import errno

import regex

from model.tokenizer import Tokenizer

WORDS = regex.compile(r"'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
PRINTED = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
# Token k below 256 is the byte ORDER[k], which the file writes as LETTERS[k].
ORDER = PRINTED + [byte for byte in range(256) if byte not in PRINTED]
LETTERS = [chr(byte) for byte in PRINTED] + [chr(256 + k) for k in range(256 - len(PRINTED))]
END = b"<|endoftext|>"


def split(text):
    """The words of bytes, as GPT-2 cuts them: p{L} is any letter of any language, p{N} any digit.

    Bytes that are no UTF-8 stay what they are, on the way to letters and back.
    """
    words = WORDS.findall(text.decode(errors="surrogateescape"))
    return [word.encode(errors="surrogateescape") for word in words]


def read_text(path):
    """What a file says. Raises OSError where there is none; a pipe might keep us waiting."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "a folder or a pipe")
    return path.read_text(encoding="utf-8")


def read_vocabulary(path):
    """The Tokenizer of a merges.txt. Raises ValueError where it cannot be had, or is none.

    Blank lines at its end are no merges.
    """
    merges = []
    try:
        lines = read_text(path).rstrip("\n").splitlines()
        token = {letter: k for k, letter in enumerate(LETTERS)}
        for line in lines[1:]:
            left, right = line.split(" ")
            token[left + right] = 256 + len(merges)
            merges.append((token[left], token[right]))
    except OSError as error:
        raise ValueError(
            f"vocabulary: got {error.strerror} at {path}; expected GPT-2's merges.txt"
        ) from None
    except (ValueError, KeyError):
        raise ValueError(
            f"vocabulary: got line {len(merges) + 2} of {path}; expected two pieces made before"
        ) from None
    return Tokenizer(merges, ORDER, split, END)
