"""The model: letters in, logits of the next letter out. It grows into a GPT."""

from engine.module import Module, matrix, vector
from engine.ops import cross_entropy, dot, softmax

V = 27


class Linear(Module):
    """y[k] = weight[k][0] * x[0] + weight[k][1] * x[1] + … + bias[k]        x (C), y (K)"""

    def __init__(self, rng, size_in, size_out):
        self.weight = matrix(rng, size_out, size_in)
        self.bias = vector(size_out)

    def __call__(self, x):
        return [dot(row, x) + bias for row, bias in zip(self.weight, self.bias)]


class MLP(Module):
    """Two layers with a bend between them: C -> 4 * C -> C."""

    def __init__(self, rng, C):
        self.up = Linear(rng, C, 4 * C)
        self.down = Linear(rng, 4 * C, C)

    def __call__(self, x):
        return self.down([number.gelu() for number in self.up(x)])  # (C) -> (4 * C) -> (C)


class Block(Module):
    """What the MLP makes of a vector is added to it."""

    def __init__(self, rng, C):
        self.mlp = MLP(rng, C)

    def __call__(self, x):
        return add(x, self.mlp(x))  # (C) -> (C)


class GPT(Module):
    """Logits of the next letter at every place of a name, from the `memory` letters up to there."""

    def __init__(self, rng, C=8, memory=3, L=1):
        self.memory = memory
        self.tok_emb = matrix(rng, V, C)
        self.blocks = [Block(rng, memory * C) for _ in range(L)]
        self.head = Linear(rng, memory * C, V)

    def __call__(self, letters):
        padded = [0] * (self.memory - 1) + letters
        logits = []
        for t in range(len(letters)):
            x = []
            for letter in padded[t : t + self.memory]:
                x += self.tok_emb[letter]  # () -> (memory * C)
            for block in self.blocks:
                x = block(x)
            logits.append(self.head(x))
        return logits  # (T) -> (T, V)


def add(x, y):
    """Two vectors, number by number; Python's + puts lists end to end."""
    return [a + b for a, b in zip(x, y)]


def next_letter(model, letters, temperature=1.0):
    """The probability of each next letter after `letters`; a low temperature sharpens them."""
    if not 0.001 <= temperature <= 1000:
        raise ValueError(f"temperature: got {temperature}; expected 0.001 to 1000")
    return softmax([logit.data / temperature for logit in model(letters)[-1]])


def name_loss(model, letters):
    """The cross-entropy of each next letter of an encoded name, averaged."""
    total = 0.0
    for logits, y in zip(model(letters[:-1]), letters[1:]):
        total += cross_entropy(logits, y)
    return total / (len(letters) - 1)
