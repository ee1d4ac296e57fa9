"""Exercise: go on from one prompt in several ways, and read it once."""

import random

import numpy as np
import pytest

from engine.autograd import no_grad
from model.cache import Cache
from model.gpt import GPT, GPTConfig


def test_back_to():
    """Write back_to(self, length) in Cache: forget all tokens but the first `length`.

    More than have been read raise ValueError.
    """
    assert hasattr(Cache, "back_to"), "Cache in model/cache.py has no back_to yet"
    model = GPT(random.Random(1), GPTConfig(T=8, C=8, H=2, L=2, scale=0.5))
    prompt, one, other = [3, 1, 4, 1], [5, 9], [2, 6, 5]
    cache = Cache(model)
    with no_grad():
        model(np.array([prompt]), cache)
        for more in (one, other, one):
            cache.back_to(4)
            assert cache.length == 4
            found = model(np.array([more]), cache).data[0]
            assert np.allclose(found, model(np.array([prompt + more])).data[0, 4:])
        with pytest.raises(ValueError):
            cache.back_to(7)
        cache.back_to(0)
        assert np.allclose(model(np.array([one]), cache).data, model(np.array([one])).data)
