"""Memory that arrays give back, kept for the next ones."""

import ctypes

# The numbers of two settings, from glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_memory():
    """From now on freed memory goes to the next array, not back to the system.

    glibc, Linux's usual C library, gives most of what is free back to the system. The system hands
    out memory in pages of 4 KB and fills each with zeros when it is first touched, which takes
    longer than many an operation on the array. And a step of training needs the same arrays as the
    one before.
    Returns whether the C library has these settings; elsewhere nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    # Large arrays, too, come from the library's own store; none straight from the system.
    large = mallopt(M_MMAP_MAX, 0)
    # What is free at the end of the store goes back above this many bytes; -1 is for never.
    end = mallopt(M_TRIM_THRESHOLD, -1)
    return large == end == 1
