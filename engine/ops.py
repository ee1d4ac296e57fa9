"""Operations on many Values that make one node each, however many numbers go in."""

import math

from engine.autograd import Value


def dot(a, b):
    """y = a[0] * b[0] + a[1] * b[1] + …    slopes b towards a, a towards b"""
    if len(a) != len(b):
        raise ValueError(f"dot: got {len(a)} and {len(b)} numbers; expected as many on both sides")
    a_data, b_data = [value.data for value in a], [value.data for value in b]
    y = math.fsum([x * w for x, w in zip(a_data, b_data)])
    return Value(y, (*a, *b), (*b_data, *a_data))
