import random

from engine.autograd import Tensor
from model.data import batch
from model.gpt import GPT, Linear
from model.run import Run, average_loss
from model.train import train
from tests.few_names import FewNames


def test_a_bend_lets_the_model_combine():
    """Two inputs, and an output that is high if exactly one of them is: no sum of the two does it.

    relu(a + b) - 2 * relu(a + b - 1) is 0, 1, 1, 0 on (0, 0), (0, 1), (1, 0), (1, 1).
    """
    hidden = Linear(random.Random(1), 2, 2)
    for weight in hidden.parameters():
        weight.data[...] = 1.0
    hidden.bias.data[...] = [0.0, -1.0]
    outputs = []
    for a in (0.0, 1.0):
        for b in (0.0, 1.0):
            first, second = hidden(Tensor([[a, b]])).relu()[0]
            outputs.append((first - 2 * second).data)
    assert outputs == [0.0, 1.0, 1.0, 0.0]


def test_learning_one_name_by_heart_makes_other_names_worse():
    model = GPT(random.Random(1))
    others = ["elif", "goran", "ines", "tom"]
    before = average_loss(model, [batch(others)])
    train(Run(model, FewNames(["anna"]), {"learning_rate": 0.5, "steps": 100, "batch_size": 1}))
    assert average_loss(model, [batch(["anna"])]) < 0.1
    assert average_loss(model, [batch(others)]) > before + 1
