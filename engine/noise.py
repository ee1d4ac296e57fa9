"""Noise by counting: word i of a stream is computed from i, without those before it.

A word is a whole number from 0 to 2 ** 32 - 1, each as likely as any other.
Philox4x32-10: J. Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", 2011.
"""

import numpy as np

LOW = 2**32 - 1
# So many counters at a time: their words fit into a processor's cache.
BLOCK = 16_384


def philox(c0, c1, c2, c3, k0, k1):
    """Four words from a counter of four words and a key of two: plain numbers, or uint64 arrays.

    A round multiplies two words into 64 bits each; what is above 32 bits goes one way, what is
    below another. The constants are the paper's. Ten rounds, after each a new key.
    """
    for _ in range(10):
        a, b = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1 = (b >> 32) ^ c1 ^ k0, b & LOW
        c2, c3 = (a >> 32) ^ c3 ^ k1, a & LOW
        k0, k1 = (k0 + 0x9E3779B9) & LOW, (k1 + 0xBB67AE85) & LOW
    return c0, c1, c2, c3


def random_words(seed, offset, n):
    """n words of the stream `seed`, uint32: word i is the (i % 4)th of counter offset + i // 4

    seed, offset: from 0 to 2 ** 64 - 1.
    """
    count = -(-n // 4)
    words = np.empty((count, 4), np.uint32)
    for i in range(0, count, BLOCK):
        block = words[i : i + BLOCK]
        counter = np.uint64(offset + i) + np.arange(len(block), dtype=np.uint64)
        block.T[...] = philox(counter & LOW, counter >> 32, 0, 0, seed & LOW, seed >> 32)
    return words.reshape(-1)[:n]


def normal(seed, n):
    """n numbers around 0, spread as a bell: the normal distribution of standard deviation 1

    Two words make two numbers: u in (0, 1] and an angle, then r * cos(angle) and r * sin(angle),
    r = sqrt(-2 * log(u)). G. Box and M. Muller, 1958.
    """
    numbers = np.empty((-(-n // 2), 2))
    for i in range(0, len(numbers), 2 * BLOCK):
        pairs = numbers[i : i + 2 * BLOCK]
        # In float32, since numpy's cos and sin take a tenth of the time there.
        words = random_words(seed, i // 2, pairs.size).astype(np.float32).reshape(-1, 2)
        r = np.sqrt(-2 * np.log((words[:, 0] + 1) / 2**32))
        angle = words[:, 1] * (2 * np.pi / 2**32)
        pairs[:, 0], pairs[:, 1] = r * np.cos(angle), r * np.sin(angle)
    return numbers.reshape(-1)[:n]


class Noise:
    """A stream of words, and the number of its next counter: no word is given out twice."""

    def __init__(self, seed):
        self.seed, self.offset = seed, 0

    def take(self, n):
        """(seed, offset) of the next n words."""
        start = self.offset
        self.offset += -(-n // 4)
        return self.seed, start
