"""What a model keeps of the letters that it has read, so that it need not read them again."""

import numpy as np


class Cache:
    """The keys and values of all letters so far, a Past for each block of a model.

    model(letters, cache) reads letters that follow those, and gives the logits after each of them.
    """

    def __init__(self, model):
        self.blocks = [Past(model.sizes["T"]) for _ in model.blocks]

    @property
    def length(self):
        """How many letters have been read."""
        return self.blocks[0].length


class Past:
    """The keys and values of one block, with room for T letters."""

    def __init__(self, T):
        self.T, self.length = T, 0

    def add(self, k, v):
        """All so far, these behind those before; k, v (B, H, n, D) -> (B, H, length, D) each"""
        if self.length == 0:
            B, H, _, D = k.shape
            self.k, self.v = np.empty((2, B, H, self.T, D), k.dtype)
        if len(k) != len(self.k):
            raise ValueError(f"cache: got {len(k)} rows; expected {len(self.k)}, as before")
        end = self.length + k.shape[2]
        self.k[:, :, self.length : end] = k
        self.v[:, :, self.length : end] = v
        self.length = end
        return self.k[:, :, :end], self.v[:, :, :end]
