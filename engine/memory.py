"""Memory that arrays give back, kept for the next ones."""

import ctypes

# The numbers of two settings, from glibc's malloc.h.
TRIM_THRESHOLD, MMAP_MAX = -1, -4


def keep_memory():
    """From now on freed memory goes to the next array, not back to the system.

    glibc, Linux's usual C library, returns large arrays at once. The system hands out memory in
    pages of 4 KB and fills each with zeros when it is first touched, which takes longer than many
    an operation on the array. And a step of training needs the same arrays as the one before.
    Returns whether the C library has these settings; elsewhere nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return mallopt(MMAP_MAX, 0) == mallopt(TRIM_THRESHOLD, -1) == 1
