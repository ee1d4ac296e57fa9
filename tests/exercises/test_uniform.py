"""Exercise: numbers from 0 to 1, each as likely as any other."""

import numpy as np

from engine import noise


def test_uniform(monkeypatch):
    """Write uniform(seed, n) in engine/noise.py: n numbers of float32 from 0 up to 1, of which 1
    itself is none. Number i is made of word i of the stream, of as many of its upper bits as
    float32 can hold: 24.
    """
    assert hasattr(noise, "uniform"), "engine/noise.py has no uniform yet"
    x = noise.uniform(1, 100_000)
    assert x.dtype == np.float32 and x.shape == (100_000,)
    # Within 5 standard errors of the mean and of the variance, 1/12.
    assert abs(x.mean() - 1 / 2) < 5 * (1 / 12) ** 0.5 / 100_000**0.5
    assert abs(x.var() - 1 / 12) < 5 * (1 / 180) ** 0.5 / 100_000**0.5
    words = np.array([0, 2**31, 2**8 - 1, 2**8, 2**32 - 1], np.uint32)
    monkeypatch.setattr(noise, "random_words", lambda seed, offset, n: words[:n])
    assert noise.uniform(1, 5).tolist() == [0.0, 0.5, 0.0, 2.0**-24, 1 - 2.0**-24]
