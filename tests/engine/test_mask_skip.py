import numpy as np
import pytest

from engine import cpu
from engine.nudge import gradcheck
from engine.ops import attention
from tests.compare import assert_close
from tests.engine.test_fused import attention_of_single_operations, same, tensors


@pytest.mark.parametrize("T", [63, 64, 65, 130])
def test_blocks_of_places_are_the_same_attention(T):
    """T at and around a whole number of blocks; results and gradients of an engine without them."""
    same(
        lambda qkv: attention(qkv, 3),
        lambda qkv: attention_of_single_operations(qkv, 3),
        tensors((2, T, 18)),
    )


@pytest.mark.parametrize("block", [1, 3, 7])
def test_gradients_through_blocks_against_nudges(monkeypatch, block):
    monkeypatch.setattr(cpu, "BLOCK", block)
    assert gradcheck(lambda qkv: attention(qkv, 2), *tensors((2, 7, 12)))


def test_blocks_cover_every_place_once():
    assert cpu.blocks(130) == [(0, 64), (64, 128), (128, 130)]
    assert cpu.blocks(64) == [(0, 64)] and cpu.blocks(1) == [(0, 1)]


def test_no_product_is_made_for_what_the_mask_hides():
    """A product with nan is nan, even where it is multiplied by a share of 0."""
    qkv, dy = (x.data for x in tensors((1, 130, 12), (1, 130, 4)))
    later = qkv.copy()
    later[:, 64:] = np.nan
    y, saved = cpu.attention_forward(qkv, 2)
    assert np.array_equal(cpu.attention_forward(later, 2)[0][:, :64], y[:, :64])

    dqkv = cpu.attention_backward(dy, qkv, saved, 2)
    earlier = dy.copy()
    earlier[:, :64] = np.nan
    found = cpu.attention_backward(earlier, qkv, saved, 2)
    keys_and_values = slice(4, 12)
    assert np.array_equal(found[:, 64:, keys_and_values], dqkv[:, 64:, keys_and_values])


def test_what_forward_does_not_write_backward_does_not_read(monkeypatch):
    qkv, dy = (x.data for x in tensors((1, 130, 12), (1, 130, 4)))
    monkeypatch.setattr(np, "empty", lambda shape, dtype: np.full(shape, np.nan, dtype))
    y, saved = cpu.attention_forward(qkv, 2)
    assert np.isfinite(y).all() and np.isfinite(cpu.attention_backward(dy, qkv, saved, 2)).all()


def test_float32_over_several_blocks_against_float64():
    (qkv,), (dy,) = tensors((2, 200, 48)), tensors((2, 200, 16))
    found = []
    for dtype in (np.float32, np.float64):
        x, d = qkv.data.astype(dtype), dy.data.astype(dtype)
        y, saved = cpu.attention_forward(x, 4)
        found.append([y, cpu.attention_backward(d, x, saved, 4)])
    assert all(array.dtype == np.float32 for array in found[0])
    assert_close(*found, "float32")
