"""When are two results the same? One table for all tests of arrays."""

import numpy as np

# The largest difference, as a share of 1 + the size of what is expected.
TOLERANCES = {
    "float64": 1e-12,  # another order of the same arithmetic
    "nudges": 1e-6,  # central differences in float64
    "published": 1e-4,  # float32 against torch's float32, through a whole model
    "float32": 2e-5,  # against the same arithmetic in float64
    "kernel nudges": 1e-3,  # central differences in float32, as a share of the slopes' length
    "kernels": 1e-5,  # float32 against float64, as a share of the length of the whole array
}


def assert_close(got, expected, kind="float64"):
    """Two arrays, or two lists of arrays: the same shapes, and numbers within TOLERANCES[kind]."""
    if not isinstance(got, (list, tuple)):
        got, expected = [got], [expected]
    assert len(got) == len(expected)
    for one, other in zip(got, expected):
        assert np.shape(one) == np.shape(other)
        off = np.abs(np.subtract(one, other)) / (1 + np.abs(other))
        assert not off.size or off.max() < TOLERANCES[kind], f"off by {off.max():.3g}"
