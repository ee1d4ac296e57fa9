import random

import numpy as np
import pytest

from model import gpt2
from model.gpt import GPT, GPTConfig


def test_crop(tmp_path):
    """Write crop(model, T) in model/gpt2.py: it leaves a model windows of T tokens only, and
    returns it. What is said about texts that fit does not change. Raises
    ValueError("crop: got 9 tokens; expected 8 at most") where its windows are shorter than T.
    """
    assert hasattr(gpt2, "crop"), "model/gpt2.py has no crop yet"
    model = GPT(random.Random(1), GPTConfig(V=257, T=8, C=8, H=2, L=2)).to(np.float32)
    tokens = np.arange(10).reshape(2, 5)
    expected = model(tokens).data
    with pytest.raises(ValueError, match="crop: got 9 tokens; expected 8 at most"):
        gpt2.crop(model, 9)
    assert gpt2.crop(model, 5) is model
    assert np.array_equal(model(tokens).data, expected)
    with pytest.raises(ValueError, match="got 6 tokens; expected 5 at most"):
        model(np.arange(6).reshape(1, 6))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    gpt2.save_gpt2(model, tmp_path)
    again, _ = gpt2.load_gpt2(tmp_path)
    assert again.config == model.config and again.config.T == 5
    assert np.array_equal(again(tokens).data, expected)
