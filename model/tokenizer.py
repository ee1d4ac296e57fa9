"""Byte-pair encoding: a text as pieces of words, the longer the more often they occur.

Gage, 1994; for language models Sennrich, Haddow and Birch, 2016; on bytes as in GPT-2, 2019.
"""

import math
import re
from collections import Counter, defaultdict

# Words with the space before them, numbers, signs, white space. No piece reaches beyond one.
# Of several blanks the last goes to what follows; a last line end is a word of its own.
# Bytes above 127, parts of letters such as é, count as letters.
WORDS = re.compile(rb" ?[A-Za-z\x80-\xff]+| ?[0-9]+| ?[^\sA-Za-z0-9\x80-\xff]+|\s+(?!\S)|\s+")

BYTES = range(256)


class Tokenizer:
    """Turns bytes into tokens, numbers from 0 to V - 1, and back: decode(encode(text)) == text.

    Token k below 256 is the byte order[k]; token 256 + k is the k-th pair of tokens in `merges`
    as one. split cuts a text into words; end, if given, is one more token, to which no text is ever
    encoded.
    """

    # A text has any length; one is enough to show.
    longest, samples = math.inf, 1

    def __init__(self, merges=(), order=BYTES, split=WORDS.findall, end=None):
        self.merges = [tuple(pair) for pair in merges]
        self.token = {pair: 256 + k for k, pair in enumerate(self.merges)}
        self.split, self.byte = split, {byte: k for k, byte in enumerate(order)}
        self.pieces = [bytes([byte]) for byte in order]
        for a, b in self.merges:
            self.pieces.append(self.pieces[a] + self.pieces[b])
        self.end = None if end is None else len(self.pieces)
        self.pieces += [] if end is None else [end]
        self.V = len(self.pieces)
        self.known = {}

    def start(self, prompt):
        """The tokens of a prompt; '' stands for the end of another text."""
        start = self.encode(b"\n") if self.end is None else [self.end]
        return self.encode(prompt.encode()) or start

    def state(self):
        """What is saved with a model: the name of this kind, and what Tokenizer is made of."""
        return ["pieces", self.merges]

    def encode(self, text):
        """b"the cat" -> the tokens of each of its words, one after the other."""
        tokens = []
        for word in self.split(text):
            if word not in self.known:
                self.known[word] = self.encode_word(word)
            tokens += self.known[word]
        return tokens

    def encode_word(self, word):
        """Merges learnt pairs, in the order in which they were learnt, until none is left."""
        tokens = [self.byte[byte] for byte in word]
        while len(tokens) > 1:
            pair = min(zip(tokens, tokens[1:]), key=lambda pair: self.token.get(pair, math.inf))
            if pair not in self.token:
                break
            tokens = merge(tokens, pair, self.token[pair])
        return tokens

    def decode(self, tokens):
        return b"".join(self.pieces[token] for token in tokens)


def learn(text, count):
    """A Tokenizer with `count` merges: the most frequent pair of neighbours becomes one token,
    and again, and again. Of equally frequent pairs, the one of lower numbers comes first.

    Ends sooner where no pair occurs twice.
    """
    times = Counter(WORDS.findall(text))
    words = {word: list(word) for word in times}
    # A word stays in `places` when it has lost the pair; merge then leaves it as it is.
    pairs, places = Counter(), defaultdict(set)

    def tally(word, sign):
        for pair in zip(words[word], words[word][1:]):
            pairs[pair] += sign * times[word]
            places[pair].add(word)

    for word in words:
        tally(word, 1)
    merges = []
    for new in range(256, 256 + count):
        best = min(pairs, key=lambda pair: (-pairs[pair], pair), default=None)
        if pairs[best] < 2:
            break
        merges.append(best)
        for word in places.pop(best):
            tally(word, -1)
            words[word] = merge(words[word], best, new)
            tally(word, 1)
    return Tokenizer(merges)


def merge(tokens, pair, new):
    """Every `pair` of neighbours as one token, from the left: [a, b, a, b, a] -> [new, new, a]"""
    merged = []
    for token in tokens:
        if merged and (merged[-1], token) == pair:
            merged[-1] = new
        else:
            merged.append(token)
    return merged
