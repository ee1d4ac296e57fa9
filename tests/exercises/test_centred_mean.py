import random

import pytest

from model.services import picture


def test_centred_mean():
    """Write centred_mean(losses, reach) in model/services/picture.py: at each place the mean of the
    losses at most `reach` places before and after it; near the ends of those that there are.

    It does not lag behind as running_mean does. Then draw it.
    """
    assert hasattr(picture, "centred_mean"), "model/services/picture.py has no centred_mean yet"
    assert picture.centred_mean([4.0, 1.0, 1.0, 6.0], 1) == pytest.approx([2.5, 2.0, 8 / 3, 3.5])
    line = [5.0 - 0.01 * t for t in range(100)]
    assert picture.centred_mean(line, 10)[10:-10] == pytest.approx(line[10:-10])
    assert picture.running_mean(line)[50] > line[50] + 0.2
    rng = random.Random(1)
    losses = [rng.random() for _ in range(30)]
    assert picture.centred_mean(losses, 0) == pytest.approx(losses)
    assert picture.centred_mean(losses, 30) == pytest.approx([sum(losses) / 30] * 30)
    assert picture.centred_mean([], 3) == []
