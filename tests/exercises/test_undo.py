"""Exercise: from the words of Philox back to their counter. So no two counters have the same."""

import random

from engine import noise


def test_every_counter_is_found_again():
    """Write unphilox(c0, c1, c2, c3, k0, k1) in engine/noise.py: for plain numbers, the counter of
    which philox makes these four words with this key.
    """
    assert hasattr(noise, "unphilox"), "engine/noise.py has no unphilox yet"
    rng = random.Random(1)
    for _ in range(20):
        *counter, k0, k1 = [rng.getrandbits(32) for _ in range(6)]
        words = noise.philox(*counter, k0, k1)
        assert list(noise.unphilox(*words, k0, k1)) == counter
    assert noise.unphilox(*noise.philox(0, 0, 0, 0, 0, 0), 0, 0) == (0, 0, 0, 0)
