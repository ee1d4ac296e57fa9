"""Exercise: look at the last few places only, there and back, and skip what lies before them."""

import numpy as np

from engine import cpu
from kernels import attention
from kernels.device import put, use


def shares_near(qkv, H, window):
    """p of attention where place t looks at places t - window + 1 to t, in float64."""
    q, k, _ = cpu.split_heads(qkv, H)
    T, D = q.shape[2:]
    near = np.tri(T, dtype=bool) & ~np.tri(T, k=-window, dtype=bool)
    p = np.exp(q @ k.swapaxes(-1, -2) / np.sqrt(D)) * near
    return p / p.sum(axis=-1, keepdims=True)


def backward_near(dy, qkv, p, H):
    """dqkv for these shares: the formulas of cpu.attention_backward, all places at once."""
    q, k, v = cpu.split_heads(qkv, H)
    B, T, C = dy.shape
    dy = dy.reshape(B, T, H, C // H).swapaxes(1, 2)
    dp = dy @ v.swapaxes(-1, -2)
    ds = p * (dp - (p * dp).sum(axis=-1, keepdims=True)) / np.sqrt(C // H)
    parts = ds @ k, ds.swapaxes(-1, -2) @ q, p.swapaxes(-1, -2) @ dy
    return np.stack(parts).transpose(1, 3, 0, 2, 4).reshape(qkv.shape)


def test_near_both_ways(monkeypatch):
    """Let attention_forward and attention_backward take `window`, last: place t looks at places
    t - window + 1 to t. window = None looks back to the start.

    No program meets a tile that lies wholly outside of the windows of its places.
    """
    functions = attention.attention_forward, attention.attention_backward
    expected = "attention_forward and attention_backward take no window yet"
    assert all("window" in f.__code__.co_varnames for f in functions), expected
    use("simulate")
    config, small = attention.config, {"BLOCK_T": 32, "BLOCK_S": 16}
    monkeypatch.setattr(attention, "config", lambda part, D: {**config(part, D), **small})
    rng = np.random.default_rng(1)
    T, H, D = 150, 2, 5
    qkv = rng.normal(size=(1, T, 3 * H * D)).astype(np.float32)
    dy = rng.normal(size=(1, T, H * D)).astype(np.float32)
    for window in (1, 5, 40, T, None):
        p = shares_near(qkv.astype(np.float64), H, window or T)
        y, saved = attention.attention_forward(put(qkv), H, window=window)
        _, _, v = cpu.split_heads(qkv, H)
        assert np.allclose(y.numpy(), (p @ v).swapaxes(1, 2).reshape(dy.shape), atol=1e-5)
        dqkv = attention.attention_backward(put(dy), put(qkv), saved, H, window=window).numpy()
        assert np.allclose(dqkv, backward_near(dy.astype(np.float64), qkv, p, H), atol=1e-5)

    # With windows of 5, places from 96 on look back to 92; tiles are 16 or 32 places wide.
    y, saved = attention.attention_forward(put(qkv), H, window=5)
    dqkv = attention.attention_backward(put(dy), put(qkv), saved, H, window=5).numpy()
    early = qkv.copy()
    early[:, :64] = np.nan
    found, _ = attention.attention_forward(put(early), H, window=5)
    message = "places from 96 on still meet places before their window"
    assert np.array_equal(found.numpy()[:, 96:], y.numpy()[:, 96:]), message
    found = attention.attention_backward(put(dy), put(early), saved, H, window=5).numpy()
    assert np.array_equal(found[:, 96:], dqkv[:, 96:]), message
    late = dy.copy()
    late[:, 96:] = np.nan
    found = attention.attention_backward(put(late), put(qkv), saved, H, window=5).numpy()
    message = "keys before 32 still meet queries that do not look at them"
    assert np.array_equal(found[:, :32], dqkv[:, :32]), message
