"""The model: tokens in, logits of the next token out. It grows into a GPT.

A token is a whole number below V. What it stands for, a letter of a name, a character of a text
or a piece of a word, is for data and tokenizer to know.
"""

import math
from dataclasses import dataclass

import numpy as np

from engine import cpu
from engine.autograd import no_grad
from engine.backend import host, on
from engine.module import Module, matrix, vector
from engine.noise import Noise
from engine.ops import attention, dropout, embedding, layernorm, linear


@dataclass(frozen=True)
class GPTConfig:
    """The sizes of a model, and of its first weights.

    V, T, C, H, L: in nanoGPT and in GPT-2's files vocab_size, block_size or n_positions, n_embd,
    n_head and n_layer.
    scale: how far from 0 the first weights of a block's matrices usually lie.
    dropout: the share of numbers left out, while training, of the embeddings' sum and of what
    each part adds.
    """

    V: int = 27
    T: int = 16
    C: int = 16
    H: int = 4
    L: int = 1
    scale: float = 0.1
    dropout: float = 0.0

    def __post_init__(self):
        if min(self.V, self.T, self.C, self.H, self.L) < 1:
            raise ValueError(f"GPTConfig: got {self}; expected sizes of at least 1")
        if self.C % self.H:
            got = f"{self.C} channels for {self.H} heads"
            raise ValueError(f"GPTConfig: got {got}; expected a multiple")

    @property
    def scale_out(self):
        """2 * L parts add to the road; smaller last matrices keep their sum at one scale."""
        return self.scale / math.sqrt(2 * self.L)


# Models by name; V and scale are those of names until the data has been read.
CONFIGS = {
    "names": GPTConfig(T=16, C=16, H=4, L=1),
    "stories": GPTConfig(T=128, C=64, H=4, L=2),
    "tiny": GPTConfig(T=64, C=64, H=4, L=2),
    "small": GPTConfig(T=64, C=128, H=4, L=4),
    "medium": GPTConfig(T=256, C=384, H=6, L=6),
    "gpt2": GPTConfig(V=50_257, T=1024, C=768, H=12, L=12),
    "gpt2-medium": GPTConfig(V=50_257, T=1024, C=1024, H=16, L=24),
    "gpt2-large": GPTConfig(V=50_257, T=1024, C=1280, H=20, L=36),
    "gpt2-xl": GPTConfig(V=50_257, T=1024, C=1600, H=25, L=48),
}


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

    looks: the shares of the last call without a cache, (B, H, T, T), if watched was True
    """

    def __init__(self, rng, config):
        C, self.H, self.watched = config.C, config.H, False
        self.qkv = Linear(rng, C, 3 * C, config.scale)
        self.proj = Linear(rng, C, C, config.scale_out)

    def __call__(self, x, cache=None):
        qkv = self.qkv(x)  # (B, T, C) -> (B, T, 3 * C)
        if self.watched and cache is None:
            self.looks = host(on(qkv.data).attention_shares(qkv.data, self.H))
        return self.proj(attention(qkv, self.H, cache))  # (B, T, 3 * C) -> (B, T, C)


class LayerNorm(Module):
    """Every row brought to mean 0 and variance 1, then scaled and shifted as learnt."""

    def __init__(self, C):
        self.weight = vector(C, start=1.0)
        self.bias = vector(C)

    def __call__(self, x):
        return layernorm(x, self.weight, self.bias)


class MLP(Module):
    """Two layers with a bend between them, for each token alone: C -> 4 * C -> C."""

    def __init__(self, rng, config):
        C = config.C
        self.up = Linear(rng, C, 4 * C, config.scale)
        self.down = Linear(rng, 4 * C, C, config.scale_out)

    def __call__(self, x):
        return self.down(self.up(x).gelu())  # (B, T, C) -> (B, T, 4 * C) -> (B, T, C)


class Dropout(Module):
    """While the model learns, each number is left out with probability p, by chance."""

    def __init__(self, p, noise):
        self.p, self.noise = p, noise

    def __call__(self, x):
        return dropout(x, self.p, self.noise) if self.training and self.p else x


class Block(Module):
    """Tokens hear each other, then think alone; what comes of it is added to what was there."""

    def __init__(self, rng, config, noise=None):
        self.ln_1 = LayerNorm(config.C)
        self.attn = Attention(rng, config)
        self.ln_2 = LayerNorm(config.C)
        self.mlp = MLP(rng, config)
        self.drop = Dropout(config.dropout, noise)

    def __call__(self, x, cache=None):
        x = x + self.drop(self.attn(self.ln_1(x), cache))
        return x + self.drop(self.mlp(self.ln_2(x)))  # (B, T, C) -> (B, T, C)


class GPT(Module):
    """Logits of the next token at every place of B rows, from all tokens up to there.

    noise: decides what dropout leaves out.
    cache: a Cache of the tokens before these, which keeps these as well; inside no_grad only.
    """

    def __init__(self, rng, config=CONFIGS["names"]):
        self.config = config
        self.tok_emb = matrix(rng, config.V, config.C, scale=0.02)
        self.pos_emb = matrix(rng, config.T, config.C, scale=0.02)
        self.noise = Noise(seed=2)
        self.drop = Dropout(config.dropout, self.noise)
        self.blocks = [Block(rng, config, self.noise) for _ in range(config.L)]
        self.ln_f = LayerNorm(config.C)

    def __call__(self, tokens, cache=None):
        start = cache.length if cache else 0
        end, most = start + tokens.shape[1], len(self.pos_emb)
        if most < end:
            raise ValueError(f"GPT: got {end} tokens; expected {most} at most")
        pos_emb = embedding(self.pos_emb, np.arange(start, end))  # (T) -> (T, C)
        x = self.drop(embedding(self.tok_emb, tokens) + pos_emb)  # (B, T) -> (B, T, C)
        for i, block in enumerate(self.blocks):
            x = block(x, cache and cache.blocks[i])
        return linear(self.ln_f(x), self.tok_emb)  # (B, T, C) -> (B, T, V)


def count_flops(model, B, T):
    """The multiplications and additions of a training step's matrix products, (B, T) tokens.

    A product (N, C) @ (C, K) takes 2 * N * C * K, and twice as much again on the way back. Each
    weight of a matrix works on every token; each token asks all T, and hears all T, in C numbers.
    What attention skips, since the mask hides it, is counted all the same, as others count it.
    """
    matrices = [w.data for _, w in model.named_parameters() if w.data.ndim == 2]
    weights = sum(w.size for w in matrices) - model.pos_emb.data.size
    C, L = model.config.C, model.config.L
    return 3 * (2 * B * T * weights + 4 * B * T * T * C * L)


def next_token(model, tokens, temperature=1.0, top_k=None, top_p=1.0, cache=None):
    """The probability of each next token after `tokens`; a low temperature sharpens them.

    top_k, top_p: see top_k_top_p. cache: a Cache of the first tokens; the others are read and kept.
    """
    if not 0.001 <= temperature <= 1000:
        raise ValueError(f"temperature: got {temperature}; expected 0.001 to 1000")
    read = cache.length if cache else 0
    if len(tokens) <= read:
        got = f"{len(tokens)} tokens, {read} of them read"
        raise ValueError(f"next_token: got {got}; expected at least one to read")
    with no_grad():
        logits = model(np.array([tokens[read:]]), cache)  # (1, T, V)
    return top_k_top_p(cpu.softmax_forward(logits.numpy()[0, -1], temperature), top_k, top_p)


def top_k_top_p(p, top_k=None, top_p=1.0):
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
