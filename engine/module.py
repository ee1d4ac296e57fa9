"""Modules: what a model is made of, and what holds its weights."""

from functools import partial

import numpy as np

from engine.autograd import FLOATS, Tensor
from engine.backend import DEVICES, host
from engine.noise import normal


class Module:
    """A model or a layer. Its weights are its attributes: Tensors, other Modules, lists of them.

    training: whether it is learning, or being evaluated; Dropout is the only Module that cares.
    """

    training = True

    def named_parameters(self):
        """(name, weight) of every weight, such as ("ln_f.weight", Tensor(…)), in a fixed order.

        A weight that stands in two places is listed once, by its first name.
        """
        names = {}
        for name, weight in named("", self):
            names.setdefault(weight, name)
        return [(name, weight) for weight, name in names.items()]

    def parameters(self):
        return [weight for _, weight in self.named_parameters()]

    def to(self, place):
        """All weights as numbers of this dtype, or on this device; what is computed from them
        follows.
        """
        if place in DEVICES:
            move = DEVICES[place]
        elif place in (*FLOATS, "float32", "float64"):
            move = partial(np.array, dtype=place)
        else:
            expected = f"float32 or float64, or a device of {list(DEVICES)}"
            raise ValueError(f"to: got {getattr(place, '__name__', place)}; expected {expected}")
        for weight in self.parameters():
            weight.data = move(host(weight.data))
        return self

    def train(self, mode=True):
        """Sets training here and in all Modules inside."""
        self.training = mode
        for child in vars(self).values():
            for inner in child if isinstance(child, list) else [child]:
                if isinstance(inner, Module):
                    inner.train(mode)
        return self

    def eval(self):
        return self.train(False)


def named(name, child):
    """Walks through lists and Modules down to the Tensors and puts their names together."""
    if isinstance(child, Tensor):
        yield name, child
    elif isinstance(child, (list, Module)):
        inside = enumerate(child) if isinstance(child, list) else vars(child).items()
        for key, inner in inside:
            yield from named(f"{name}.{key}" if name else str(key), inner)


def matrix(rng, rows, columns, scale=0.1):
    """Rows of small random weights around 0; scale is how far from 0 they usually lie.

    Without an rng all are 0, for those who will fill them from a file.
    """
    if rng is None:
        return Tensor(np.zeros((rows, columns)))
    numbers = normal(rng.getrandbits(64), rows * columns)
    numbers *= scale
    return Tensor(numbers.reshape(rows, columns))


def vector(size, start=0.0):
    """Weights that all start at the same number."""
    return Tensor([start] * size)
