"""The model: letters in, logits of the next letter out. It grows into a GPT."""

import math

import numpy as np

from engine import cpu
from engine.autograd import no_grad
from engine.module import Module, matrix, vector
from engine.ops import attention, dropout, embedding, layernorm, linear

# Sizes of models by name; V comes from the data, or is GPT-2's 50,257.
CONFIGS = {
    "names": {"T": 16, "C": 16, "H": 4, "L": 1},
    "stories": {"T": 128, "C": 64, "H": 4, "L": 2},
    "tiny": {"T": 64, "C": 64, "H": 4, "L": 2},
    "small": {"T": 64, "C": 128, "H": 4, "L": 4},
    "medium": {"T": 256, "C": 384, "H": 6, "L": 6},
    "gpt2": {"T": 1024, "C": 768, "H": 12, "L": 12},
    "gpt2-medium": {"T": 1024, "C": 1024, "H": 16, "L": 24},
    "gpt2-large": {"T": 1024, "C": 1280, "H": 20, "L": 36},
    "gpt2-xl": {"T": 1024, "C": 1600, "H": 25, "L": 48},
}


class Linear(Module):
    """y = x @ weight.T + bias        x (…, C), weight (K, C), bias (K), y (…, K)"""

    def __init__(self, rng, size_in, size_out, scale=0.1):
        self.weight = matrix(rng, size_out, size_in, scale)
        self.bias = vector(size_out)

    def __call__(self, x):
        return linear(x, self.weight, self.bias)


class Attention(Module):
    """Each letter asks, and every letter up to it offers and gives: H small questions at once.

    q, k, v = three vectors made of x, cut into H heads of D = C // H numbers each; in each head
    letter t looks at letter s <= t with the share p[s], p = softmax(q[t] · k[s] / sqrt(D)),
    and receives the sum of p[s] * v[s]
    """

    def __init__(self, rng, C, H, scale=0.1, scale_out=0.1):
        if C % H:
            raise ValueError(f"Attention: got {C} channels for {H} heads; expected a multiple")
        self.H = H
        self.qkv = Linear(rng, C, 3 * C, scale)
        self.proj = Linear(rng, C, C, scale_out)

    def __call__(self, x, past=None):
        qkv = self.qkv(x)  # (B, T, C) -> (B, T, 3 * C)
        y, self.looks = attention(qkv, self.H, past)
        return self.proj(y)


class LayerNorm(Module):
    """Every row brought to mean 0 and variance 1, then scaled and shifted as learnt."""

    def __init__(self, C):
        self.weight = vector(C, start=1.0)
        self.bias = vector(C)

    def __call__(self, x):
        return layernorm(x, self.weight, self.bias)


class MLP(Module):
    """Two layers with a bend between them, for each letter alone: C -> 4 * C -> C."""

    def __init__(self, rng, C, scale=0.1, scale_out=0.1):
        self.up = Linear(rng, C, 4 * C, scale)
        self.down = Linear(rng, 4 * C, C, scale_out)

    def __call__(self, x):
        return self.down(self.up(x).gelu())  # (B, T, C) -> (B, T, 4 * C) -> (B, T, C)


class Dropout(Module):
    """While the model learns, each number is left out with probability p, by chance."""

    def __init__(self, p, noise):
        self.p, self.noise = p, noise

    def __call__(self, x):
        return dropout(x, self.p, self.noise) if self.training and self.p else x


class Block(Module):
    """Letters hear each other, then think alone; what comes of it is added to what was there."""

    def __init__(self, rng, C, H, scale=0.1, scale_out=0.1, dropout=0.0, noise=None):
        self.ln_1 = LayerNorm(C)
        self.attn = Attention(rng, C, H, scale, scale_out)
        self.ln_2 = LayerNorm(C)
        self.mlp = MLP(rng, C, scale, scale_out)
        self.drop = Dropout(dropout, noise)

    def __call__(self, x, past=None):
        x = x + self.drop(self.attn(self.ln_1(x), past))
        return x + self.drop(self.mlp(self.ln_2(x)))  # (B, T, C) -> (B, T, C)


class GPT(Module):
    """Logits of the next letter at every place of B rows, from all letters up to there.

    dropout: the share of numbers left out of what each part adds, while training.
    cache: a Cache of the letters before these, which keeps these as well; inside no_grad only.
    """

    def __init__(self, rng, V=27, T=16, C=16, H=4, L=1, scale=0.1, dropout=0.0):
        self.sizes = {"V": V, "T": T, "C": C, "H": H, "L": L}
        self.tok_emb = matrix(rng, V, C, scale=0.02)
        self.pos_emb = matrix(rng, T, C, scale=0.02)
        # 2 * L parts add to the road; smaller last matrices keep their sum at one scale.
        scale_out = scale / math.sqrt(2 * L)
        noise = np.random.default_rng(2)
        self.drop = Dropout(dropout, noise)
        self.blocks = [Block(rng, C, H, scale, scale_out, dropout, noise) for _ in range(L)]
        self.ln_f = LayerNorm(C)

    def __call__(self, letters, cache=None):
        start = cache.length if cache else 0
        end, most = start + letters.shape[1], len(self.pos_emb)
        if most < end:
            raise ValueError(f"GPT: got {end} letters; expected {most} at most")
        pos_emb = self.pos_emb[start:end]
        x = self.drop(embedding(self.tok_emb, letters) + pos_emb)  # (B, T) -> (B, T, C)
        for i, block in enumerate(self.blocks):
            x = block(x, cache and cache.blocks[i])
        return self.ln_f(x) @ self.tok_emb.T  # (B, T, C) @ (C, V) -> (B, T, V)


def count_flops(model, B, T):
    """The multiplications and additions of a training step's matrix products, (B, T) letters.

    A product (N, C) @ (C, K) takes 2 * N * C * K, and twice as much again on the way back. Each
    weight of a matrix works on every letter; each letter asks all T, and hears all T, in C numbers.
    What attention skips, since the mask hides it, is counted all the same, as others count it.
    """
    matrices = [w.data for _, w in model.named_parameters() if w.data.ndim == 2]
    weights = sum(w.size for w in matrices) - model.pos_emb.data.size
    C, L = model.sizes["C"], model.sizes["L"]
    return 3 * (2 * B * T * weights + 4 * B * T * T * C * L)


def next_letter(model, letters, temperature=1.0, top_k=None, top_p=1.0, cache=None):
    """The probability of each next letter after `letters`; a low temperature sharpens them.

    top_k, top_p: see choosable. cache: a Cache of the first letters; the others are read and kept.
    """
    if not 0.001 <= temperature <= 1000:
        raise ValueError(f"temperature: got {temperature}; expected 0.001 to 1000")
    read = cache.length if cache else 0
    if len(letters) <= read:
        got = f"{len(letters)} letters, {read} of them read"
        raise ValueError(f"next_letter: got {got}; expected at least one to read")
    with no_grad():
        logits = model(np.array([letters[read:]]), cache)  # (1, T, V)
    return choosable(cpu.softmax_forward(logits.data[0, -1], temperature), top_k, top_p)


def choosable(p, top_k=None, top_p=1.0):
    """p without its long tail: 0 for all but the top_k largest, and of these for all but the
    fewest that have top_p of the probability together; what is left adds up to 1 again.

    Fan, Lewis and Dauphin, 2018; Holtzman and others, 2020.
    """
    if top_k is not None and top_k < 1:
        raise ValueError(f"top-k: got {top_k}; expected at least 1")
    if not 0 < top_p <= 1:
        raise ValueError(f"top-p: got {top_p}; expected a share above 0, at most 1")
    kept = np.argsort(-p, kind="stable")[:top_k]
    if top_p < 1:
        shares = p[kept] / p[kept].sum()
        # A token stays where the larger ones before it have less than top_p together.
        kept = kept[np.cumsum(shares) - shares < top_p]
    q = np.zeros_like(p)
    q[kept] = p[kept] / p[kept].sum()
    return q
