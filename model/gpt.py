"""The model: tokens in, logits of the next token out. It grows into a GPT.

A token is a whole number below V. What it stands for, a letter of a name, a character of a text
or a piece of a word, is for data and tokenizer to know.
"""

import math

import numpy as np

from engine import cpu
from engine.autograd import no_grad
from engine.module import Module, matrix, vector
from engine.ops import attention, embedding, layernorm, linear


class Linear(Module):
    """y = x @ weight.T + bias        x (…, C), weight (K, C), bias (K), y (…, K)"""

    def __init__(self, rng, size_in, size_out, scale=0.1):
        self.weight = matrix(rng, size_out, size_in, scale)
        self.bias = vector(size_out)

    def __call__(self, x):
        return linear(x, self.weight, self.bias)


class Attention(Module):
    """Each token asks, and every token up to it offers and gives: H small questions at once.

    q, k, v = three vectors made of x, cut into H heads of D = C // H numbers each; in each head
    token t looks at token s <= t with the share p[s], p = softmax(q[t] · k[s] / sqrt(D)),
    and receives the sum of p[s] * v[s]

    looks: the shares of the last call, (B, H, T, T), if watched was set to True before
    """

    def __init__(self, rng, C, H, scale=0.1, scale_out=0.1):
        if C % H:
            raise ValueError(f"Attention: got {C} channels for {H} heads; expected a multiple")
        self.H, self.watched = H, False
        self.qkv = Linear(rng, C, 3 * C, scale)
        self.proj = Linear(rng, C, C, scale_out)

    def __call__(self, x):
        qkv = self.qkv(x)  # (B, T, C) -> (B, T, 3 * C)
        if self.watched:
            self.looks = cpu.attention_shares(qkv.data, self.H)
        return self.proj(attention(qkv, self.H))  # (B, T, 3 * C) -> (B, T, C)


class LayerNorm(Module):
    """Every row brought to mean 0 and variance 1, then scaled and shifted as learnt."""

    def __init__(self, C):
        self.weight = vector(C, start=1.0)
        self.bias = vector(C)

    def __call__(self, x):
        return layernorm(x, self.weight, self.bias)


class MLP(Module):
    """Two layers with a bend between them, for each token alone: C -> 4 * C -> C."""

    def __init__(self, rng, C, scale=0.1, scale_out=0.1):
        self.up = Linear(rng, C, 4 * C, scale)
        self.down = Linear(rng, 4 * C, C, scale_out)

    def __call__(self, x):
        return self.down(self.up(x).gelu())  # (B, T, C) -> (B, T, 4 * C) -> (B, T, C)


class Block(Module):
    """Tokens hear each other, then think alone; what comes of it is added to what was there."""

    def __init__(self, rng, C, H, scale=0.1, scale_out=0.1):
        self.ln_1 = LayerNorm(C)
        self.attn = Attention(rng, C, H, scale, scale_out)
        self.ln_2 = LayerNorm(C)
        self.mlp = MLP(rng, C, scale, scale_out)

    def __call__(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))  # (B, T, C) -> (B, T, C)


class GPT(Module):
    """Logits of the next token at every place of B rows, from all tokens up to there."""

    def __init__(self, rng, V=27, T=16, C=16, H=4, L=1, scale=0.1):
        self.sizes = {"V": V, "T": T, "C": C, "H": H, "L": L}
        self.tok_emb = matrix(rng, V, C, scale=0.02)
        self.pos_emb = matrix(rng, T, C, scale=0.02)
        # 2 * L parts add to the road; smaller last matrices keep their sum at one scale.
        scale_out = scale / math.sqrt(2 * L)
        self.blocks = [Block(rng, C, H, scale, scale_out) for _ in range(L)]
        self.ln_f = LayerNorm(C)

    def __call__(self, tokens):
        T, most = tokens.shape[1], len(self.pos_emb)
        if most < T:
            raise ValueError(f"GPT: got {T} tokens; expected {most} at most")
        x = embedding(self.tok_emb, tokens) + self.pos_emb[:T]  # (B, T) -> (B, T, C)
        for block in self.blocks:
            x = block(x)
        return self.ln_f(x) @ self.tok_emb.T  # (B, T, C) @ (C, V) -> (B, T, V)


def count_flops(model, B, T):
    """The multiplications and additions of a training step's matrix products, (B, T) tokens.

    A product (N, C) @ (C, K) takes 2 * N * C * K, and twice as much again on the way back. Each
    weight of a matrix works on every token; each token asks all T, and hears all T, in C numbers.
    """
    matrices = [w.data for _, w in model.named_parameters() if w.data.ndim == 2]
    weights = sum(w.size for w in matrices) - model.pos_emb.data.size
    C, L = model.sizes["C"], model.sizes["L"]
    return 3 * (2 * B * T * weights + 4 * B * T * T * C * L)


def next_token(model, tokens, temperature=1.0):
    """The probability of each next token after `tokens`; a low temperature sharpens them."""
    if not 0.001 <= temperature <= 1000:
        raise ValueError(f"temperature: got {temperature}; expected 0.001 to 1000")
    with no_grad():
        logits = model(np.array([tokens]))  # (1, T, V)
    return cpu.softmax_forward(logits.data[0, -1], temperature)
