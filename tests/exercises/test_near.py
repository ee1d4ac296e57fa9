"""Exercise: look at the last few places only, and skip what lies before them."""

import numpy as np

from engine import cpu


def test_near():
    """Let attention_forward take `window`: place t looks at places t - window + 1 to t.

    window = None looks back to the start. A block makes no product for places before the window
    of its first place; shares there are 0.
    """
    expected = "attention_forward takes no window yet"
    assert "window" in cpu.attention_forward.__code__.co_varnames, expected
    rng = np.random.default_rng(1)
    qkv, T, window = rng.standard_normal((2, 200, 3 * 4)), 200, 70
    y, p = cpu.attention_forward(qkv, 2, window=window)
    near = np.tri(T, dtype=bool) & ~np.tri(T, k=-window, dtype=bool)
    assert np.array_equal(p > 0, np.broadcast_to(near, p.shape))
    assert np.allclose(p.sum(axis=-1), 1.0)

    whole, everywhere = cpu.attention_forward(qkv, 2)
    shares = everywhere * near
    assert np.allclose(p, shares / shares.sum(axis=-1, keepdims=True))
    assert np.allclose(y[:, :window], whole[:, :window])

    # Places from 128 on look back to 128 - 70 + 1 = 59.
    earlier = qkv.copy()
    earlier[:, :59] = np.nan
    message = "places from 128 on still meet places before their window"
    assert np.array_equal(
        cpu.attention_forward(earlier, 2, window=window)[0][:, 128:], y[:, 128:]
    ), message
