"""Exercise: look at the last few places only, and skip what lies before them."""

import numpy as np

from engine import cpu


def test_near(monkeypatch):
    """Let attention_forward take `window`: place t looks at places t - window + 1 to t.

    window = None looks back to the start. A block makes no product for places before the window
    of its first place; shares there are 0, and attention_backward stays as it is.
    """
    expected = "attention_forward takes no window yet"
    assert "window" in cpu.attention_forward.__code__.co_varnames, expected
    rng = np.random.default_rng(1)
    qkv, dy = rng.standard_normal((2, 200, 3 * 4)), rng.standard_normal((2, 200, 4))
    T, window = 200, 70
    monkeypatch.setattr(np, "empty", lambda shape, dtype: np.full(shape, np.nan, dtype))
    shares = cpu.attention_shares(qkv, 2)
    shares *= np.tri(T, dtype=bool) & ~np.tri(T, k=-window, dtype=bool)
    shares /= shares.sum(axis=-1, keepdims=True)
    received = shares @ cpu.split_heads(qkv, 2)[2]  # (B, H, T, D)
    y, saved = cpu.attention_forward(qkv, 2, window=window)
    assert np.allclose(y, received.swapaxes(1, 2).reshape(2, T, 4))
    whole, _ = cpu.attention_forward(qkv, 2)
    assert np.allclose(y[:, :window], whole[:, :window])

    # Places from 128 on look back to 128 - 70 + 1 = 59.
    earlier = qkv.copy()
    earlier[:, :59] = np.nan
    message = "places from 128 on still meet places before their window"
    assert np.array_equal(
        cpu.attention_forward(earlier, 2, window=window)[0][:, 128:], y[:, 128:]
    ), message
    dy[:, :128] = 0.0
    message = "the shares before a window are not 0 on the way back"
    assert not cpu.attention_backward(dy, qkv, saved, 2)[:, :59].any(), message
