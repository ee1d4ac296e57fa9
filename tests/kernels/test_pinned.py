"""The ten pinned losses on a device: where a model computes changes only float32's last digits."""

import numpy as np
import pytest

from kernels import device
from model.data import encode
from tests.compare import TOLERANCES
from tests.losses import name_loss
from tests.model.test_pinned import LOSSES, NAMES, pinned_model


def test_ten_losses_on_the_device():
    model, losses = pinned_model().to(np.float32).to(device.chosen), []
    for name in NAMES:
        for weight in model.parameters():
            weight.grad = None
        loss = name_loss(model, encode(name))
        losses.append(loss.item())
        loss.backward()
        for weight in model.parameters():
            # w = w - 0.5 * grad, as SGD, by the host: no optimizer is looked at here.
            slopes = np.zeros(weight.shape) if weight.grad is None else weight.grad.numpy()
            weight.data[...] = (weight.numpy() - 0.5 * slopes).astype(np.float32)
    assert losses == pytest.approx(LOSSES, rel=TOLERANCES["float32"])
