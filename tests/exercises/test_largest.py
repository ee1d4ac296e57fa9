"""Exercise: the largest gradient of all, found on the device, where it stays."""

import numpy as np

from kernels import adamw
from kernels.device import DeviceArray, put


def test_the_largest_in_two_stages(monkeypatch):
    """Write largest(x) in kernels/adamw.py: the largest of all |x|, an array of shape () on the
    device. As with the norm, up to PARTS programs look at a part each, and one at what they found.
    """
    assert hasattr(adamw, "largest"), "kernels/adamw.py has no largest yet"
    monkeypatch.setattr(adamw, "BLOCK", 64)
    monkeypatch.setattr(adamw, "PARTS", 4)
    rng = np.random.default_rng(1)
    for n in (1, 7, 64, 65, 400, 1007):
        for sign in (1.0, -1.0):
            x = rng.uniform(-1, 1, n).astype(np.float32)
            x[n // 2] = 3.0 * sign
            got = adamw.largest(put(x))
            assert isinstance(got, DeviceArray) and got.shape == () and got.item() == 3.0
    assert adamw.largest(put(np.full(100, -2.0, np.float32))).item() == 2.0
