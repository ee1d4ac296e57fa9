"""Exercise: weights averaged over the last steps, which often predict better than the last ones."""

import numpy as np

from engine import flat
from engine.autograd import Tensor


def test_all_weights_are_averaged_at_once():
    """Write the class Average in engine/flat.py: Average(flat, share) begins with the weights that
    the Flat has; update() moves it so far towards those that it has now, average = (1 - share) *
    average + share * weights. named(names) returns {name: array}, the average of each weight in its
    shape, for names in the order of flat.params.
    """
    assert hasattr(flat, "Average"), "engine/flat.py has no Average yet"
    weights = [Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([8.0])]
    whole = flat.Flat([{"params": weights, "weight_decay": 0.0}])
    average = flat.Average(whole, share=0.25)
    whole.data *= 2.0
    average.update()
    named = average.named(["w", "b"])
    assert named["w"].tolist() == [[1.25, 2.5], [3.75, 5.0]] and named["b"].tolist() == [10.0]
    average.update()
    assert average.named(["w", "b"])["b"].tolist() == [11.5]
    assert np.array_equal(weights[1].data, [16.0])
