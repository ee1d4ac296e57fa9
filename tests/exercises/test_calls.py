"""Exercise: which functions does a training step ask, and how often?"""

import random

from engine import cost
from engine.ops import cross_entropy
from model.data import batch
from model.gpt import GPT, GPTConfig


def test_calls():
    """Write count_calls(f) in engine/cost.py: a Counter of the names of the functions of
    engine/cpu.py that loss = f() and loss.backward() call.
    """
    assert hasattr(cost, "count_calls"), "there is no count_calls yet"
    x, y = batch(["anna", "bo"])
    for L in (1, 3):
        model = GPT(random.Random(1), GPTConfig(L=L))
        calls = cost.count_calls(lambda model=model: cross_entropy(model(x), y))
        assert calls["attention_backward"] == calls["gelu_forward"] == L
        assert calls["linear_forward"] == calls["linear_backward"] == 4 * L + 1
        assert calls["layernorm_forward"] == 2 * L + 1
        assert calls["unbroadcast"] == calls["add_to"] == 1
    assert "row_mean" not in calls, "what one function asks of another is no call of the step"
