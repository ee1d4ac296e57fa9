"""The model: letters in, logits of the next letter out. It grows into a GPT."""

import math

import numpy as np

from engine.module import Module, matrix, vector
from engine.ops import cross_entropy, layernorm, softmax, softmax_values, where

V = 27


class Linear(Module):
    """y = x @ weight.T + bias        x (T, C), weight (K, C), bias (K), y (T, K)"""

    def __init__(self, rng, size_in, size_out, scale=0.1):
        self.weight = matrix(rng, size_out, size_in, scale)
        self.bias = vector(size_out)

    def __call__(self, x):
        return x @ self.weight.T + self.bias  # (T, C) @ (C, K) -> (T, K)


class Attention(Module):
    """Each letter asks, and every letter up to it offers and gives: H small questions at once.

    q, k, v = three vectors made of x, cut into H heads of D = C // H numbers each; in each head
    letter t looks at letter s <= t with the share p[s], p = softmax(q[t] · k[s] / sqrt(D)),
    and receives the sum of p[s] * v[s]
    """

    def __init__(self, rng, C, H, scale_out=0.1):
        if C % H:
            raise ValueError(f"Attention: got {C} channels for {H} heads; expected a multiple")
        self.H = H
        self.qkv = Linear(rng, C, 3 * C)
        self.proj = Linear(rng, C, C, scale_out)

    def __call__(self, x):
        T, C = x.shape
        D = C // self.H
        qkv = self.qkv(x).reshape(T, 3, self.H, D)  # (T, C) -> (T, 3, H, D)
        q, k, v = (qkv[:, i].transpose(0, 1) for i in range(3))  # (H, T, D) each
        scores = q @ k.transpose(1, 2)  # (H, T, D) @ (H, D, T) -> (H, T, T)
        past = np.tri(T, dtype=bool)  # True at (t, s) if s <= t
        p = softmax_values(where(past, scores, -np.inf), temperature=math.sqrt(D))
        self.looks = p.data
        y = (p @ v).transpose(0, 1)  # (H, T, T) @ (H, T, D) -> (H, T, D) -> (T, H, D)
        return self.proj(y.reshape(T, C))


class LayerNorm(Module):
    """Every row brought to mean 0 and variance 1, then scaled and shifted as learnt."""

    def __init__(self, C):
        self.weight = vector(C, start=1.0)
        self.bias = vector(C)

    def __call__(self, x):
        return layernorm(x, self.weight, self.bias)


class MLP(Module):
    """Two layers with a bend between them, for each letter alone: C -> 4 * C -> C."""

    def __init__(self, rng, C, scale_out=0.1):
        self.up = Linear(rng, C, 4 * C)
        self.down = Linear(rng, 4 * C, C, scale_out)

    def __call__(self, x):
        return self.down(self.up(x).gelu())  # (T, C) -> (T, 4 * C) -> (T, C)


class Block(Module):
    """Letters hear each other, then think alone; what comes of it is added to what was there."""

    def __init__(self, rng, C, H, scale_out=0.1):
        self.ln_1 = LayerNorm(C)
        self.attn = Attention(rng, C, H, scale_out)
        self.ln_2 = LayerNorm(C)
        self.mlp = MLP(rng, C, scale_out)

    def __call__(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))  # (T, C) -> (T, C)


class GPT(Module):
    """Logits of the next letter at every place of a name, from all letters up to there."""

    def __init__(self, rng, T=16, C=16, H=4, L=1):
        self.tok_emb = matrix(rng, V, C, scale=0.02)
        self.pos_emb = matrix(rng, T, C, scale=0.02)
        # 2 * L parts add to the road; smaller last matrices keep their sum at one scale.
        scale_out = 0.1 / math.sqrt(2 * L)
        self.blocks = [Block(rng, C, H, scale_out) for _ in range(L)]
        self.ln_f = LayerNorm(C)

    def __call__(self, letters):
        if len(letters) > len(self.pos_emb):
            raise ValueError(
                f"GPT: got {len(letters)} letters; expected {len(self.pos_emb)} at most"
            )
        x = self.tok_emb[letters] + self.pos_emb[: len(letters)]  # (T) -> (T, C)
        for block in self.blocks:
            x = block(x)
        return self.ln_f(x) @ self.tok_emb.T  # (T, C) @ (C, V) -> (T, V)


def next_letter(model, letters, temperature=1.0):
    """The probability of each next letter after `letters`; a low temperature sharpens them."""
    if not 0.001 <= temperature <= 1000:
        raise ValueError(f"temperature: got {temperature}; expected 0.001 to 1000")
    return softmax(model(letters)[-1].data / temperature)


def name_loss(model, letters):
    """The cross-entropy of each next letter of an encoded name, averaged."""
    return cross_entropy(model(letters[:-1]), letters[1:])
