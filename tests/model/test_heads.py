import math
import random

import numpy as np
import pytest

from engine.autograd import Tensor
from engine.nudge import nudge
from model.gpt import Attention, GPTConfig
from tests.compare import assert_close


def x_and_parameters(H):
    attn = Attention(random.Random(1), GPTConfig(C=4, H=H))
    rng = random.Random(2)
    x = Tensor([[[rng.uniform(-1, 1) for _ in range(4)] for _ in range(3)]])
    return attn, x, attn.parameters() + [x]


@pytest.mark.parametrize("H", [1, 2, 4])
def test_heads_against_nudges(H):
    attn, x, weights = x_and_parameters(H)

    def loss(_):
        y = attn(x)[0]
        return sum(y[t, c] * (t + c + 1.0) * y[t, 0] for t in range(3) for c in range(4))

    loss(None).backward()
    assert_close([w.grad for w in weights], nudge(loss, weights), "nudges")


def test_a_head_sees_its_own_numbers_only():
    """With proj leaving everything where it is, changing head 0's questions changes what it
    writes, the numbers 0 and 1, and not what head 1 writes, the numbers 2 and 3.
    """
    attn, x, _ = x_and_parameters(H=2)
    attn.proj.weight.data[...] = np.eye(4)
    before = attn(x).data[0]
    attn.qkv.weight.data[0] += 5.0
    after = attn(x).data[0]
    assert not np.array_equal(before[2, :2], after[2, :2])
    assert np.array_equal(before[2, 2:], after[2, 2:])


def test_two_heads_by_hand():
    """q, k and v are x itself, so head 1 sees (1, 1) and (2, 1) at the second place: scores 3 and
    5, over sqrt(2) since a head has 2 numbers; head 0 sees zeros and looks at both alike.
    """
    attn = Attention(random.Random(1), GPTConfig(C=4, H=2))
    for weight in attn.parameters():
        weight.data[...] = 0.0
    attn.qkv.weight.data[...] = np.tile(np.eye(4), (3, 1))
    attn.watched = True
    attn(Tensor([[[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 2.0, 1.0]]]))
    share = 1 / (1 + math.exp((5 - 3) / math.sqrt(2)))
    assert_close(attn.looks[0, :, 1], np.array([[0.5, 0.5], [share, 1 - share]]))


def test_channels_must_divide():
    with pytest.raises(ValueError, match="GPTConfig: got 16 channels for 3 heads; expected a mul"):
        GPTConfig(C=16, H=3)
