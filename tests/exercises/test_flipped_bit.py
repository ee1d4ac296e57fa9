"""Exercise: a disk that forgets."""

import numpy as np

from model import STEP
from model.checkpoint import read, write


def test_flipped_bit(tmp_path):
    """Let write put a checksum of the arrays into the header, in model/checkpoint.py, and let read
    refuse a file whose arrays have another one.

    A safetensors file says where each array begins and ends, and nothing that would show whether
    its numbers are still the same.
    """
    path = tmp_path / "x.safetensors"
    arrays, state = {"a": np.arange(4.0), "b": np.ones((2, 3), np.float32)}, {"step": STEP}
    write(path, arrays, state)
    back, other = read(path)
    assert other == state and all(np.array_equal(back[name], arrays[name]) for name in arrays)
    whole = path.read_bytes()
    for place in (-1, -20):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        try:
            refused = not read(path)
        except ValueError as error:
            refused = "got a damaged or foreign file" in str(error)
        assert refused, f"read took a file in which a bit of byte {place} had been flipped"
