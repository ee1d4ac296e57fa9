"""Exercise: ask a run for its next loss, and leave no trace."""

import random

from model.gpt import GPT, GPTConfig
from model.run import Run
from tests.few_names import FewNames

DATA = FewNames(["anna", "bo", "hannah", "ida", "otto"])


def test_peek():
    """Write peek(self) in Run: the loss of the batch that comes next, as step will tell it.

    The run must not notice: whoever peeked takes the same steps as whoever did not.
    """
    assert hasattr(Run, "peek"), "Run in model/run.py has no peek yet"
    settings = {"learning_rate": 0.02, "steps": 20, "batch_size": 4}
    one, other = (
        Run(GPT(random.Random(1), GPTConfig(dropout=0.2)), DATA, settings) for _ in range(2)
    )
    for _ in range(5):
        seen = [one.peek(), one.peek()]
        loss = one.step()["loss"]
        assert seen == [loss, loss] and loss == other.step()["loss"]
