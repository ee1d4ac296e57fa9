"""The KV cache: what a model keeps of tokens that it has read, not to read them again."""

import numpy as np


class Cache:
    """The keys and values of all tokens so far, a BlockCache for each block.

    model(tokens, cache) reads tokens that follow those, and gives the logits after each of them.
    """

    def __init__(self, model):
        self.blocks = [BlockCache(model.config.T) for _ in model.blocks]

    @property
    def length(self):
        """How many tokens have been read."""
        return self.blocks[0].length


class BlockCache:
    """The keys and values of one block, with room for T tokens."""

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
