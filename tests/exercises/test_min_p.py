"""Exercise: what is likely enough, beside the likeliest?"""

import numpy as np
import pytest

from model import gpt


def test_min_p():
    """Write min_p(p, share) in model/gpt.py: p without all that have less than `share` of what the
    largest has; what is left adds up to 1 again. (Nguyen and others, 2024.)
    """
    assert hasattr(gpt, "min_p"), "model/gpt.py has no min_p yet"
    p = np.array([0.1, 0.4, 0.2, 0.3])
    assert gpt.min_p(p, 0.5) == pytest.approx([0, 4 / 9, 2 / 9, 3 / 9])
    assert gpt.min_p(p, 1.0) == pytest.approx([0, 1, 0, 0])
    assert gpt.min_p(p, 0.0) == pytest.approx(p)
