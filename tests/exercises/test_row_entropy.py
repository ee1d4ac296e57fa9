"""Exercise: how spread out does each place look? One number a row, and no row is ever whole."""

import math

import numpy as np

from kernels import attention
from kernels.device import put, use


def test_row_entropy(monkeypatch):
    """Write attention_entropy(qkv, H) in kernels/attention.py: (B, T, 3 * C) -> (B, H, T), the
    entropy of the shares of each place, - sum over s <= t of p[t, s] * log p[t, s], in nats.

    Its kernel streams over the keys as attention_forward_kernel does; nothing of (T, T) is made.
    """
    assert hasattr(attention, "attention_entropy"), "kernels/attention.py: no attention_entropy yet"
    use("simulate")
    made, empty = [], attention.empty

    def counted(shape):
        made.append(math.prod(shape))
        return empty(shape)

    monkeypatch.setattr(attention, "empty", counted)
    B, T, H, D = 2, 70, 3, 5
    qkv = np.random.default_rng(1).normal(size=(B, T, 3 * H * D)).astype(np.float32)
    found = attention.attention_entropy(put(qkv), H).numpy()
    assert sum(made) <= 2 * B * T * H * D, "an array of (T, T) numbers has been made"

    q, k, _ = qkv.astype(np.float64).reshape(B, T, 3, H, D).transpose(2, 0, 3, 1, 4)
    p = np.exp(q @ k.swapaxes(-1, -2) / math.sqrt(D)) * np.tri(T)
    p /= p.sum(axis=-1, keepdims=True)
    log_p = np.log(p, out=np.zeros_like(p), where=p > 0)
    assert np.allclose(found, -(p * log_p).sum(axis=-1), atol=1e-5)
    # The first place looks at itself only.
    assert np.allclose(found[..., 0], 0.0, atol=1e-5)
