"""Exercise: whose byte is it?"""

import numpy as np
from safetensors.numpy import save_file

from model.services import checkpoint


def test_array_at(tmp_path):
    """Write array_at(path, place) in model/services/checkpoint.py: the name of the array in which
    byte `place` of a safetensors file lies, or None where it lies before the first or after the
    last.

    cmp says which byte of two files differs. Where a file begins with its own description, that
    leads to a name. Read the description with json, not with safetensors: it is in the section.
    """
    assert hasattr(checkpoint, "array_at"), "model/services/checkpoint.py has no array_at yet"
    array_at = checkpoint.array_at
    path = tmp_path / "x.safetensors"
    arrays = {"a": np.arange(4.0), "b": np.ones((2, 3), np.float32), "c": np.full(1, 7.0)}
    save_file(arrays, path, {"state": "any"})
    whole = path.read_bytes()
    assert array_at(path, 0) is None and array_at(path, 8) is None
    assert array_at(path, len(whole)) is None
    for name, array in arrays.items():
        first = whole.index(array.tobytes())
        for place in (first, first + array.nbytes - 1):
            found = array_at(path, place)
            assert found == name, f"got {found} for byte {place}; expected {name}"
