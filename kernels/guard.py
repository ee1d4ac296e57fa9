"""Watches what the programs of a simulated launch read and write; a GPU lets all of this pass.

ValueError, with the array, the place in it and the program, where
    a program reads or writes outside of an array
    two programs write one number without tl.atomic_add
    a program reads what another writes in this launch, before or after
    two different numbers of one tl.store go to one place
    two arrays of one launch overlap without being the same
"""

import numpy as np

# Stands for the writer of a number that nobody has written yet.
NOBODY = 0
# Of one that programs, one or more, have written by tl.atomic_add alone.
ADDED = -1


class Guard:
    """One launch: who wrote which number of which array, and every read.

    writers: for an array an owner a number: the program that wrote it, from 1, NOBODY or ADDED.
    ids: gives the program_id of a program.
    """

    # False leaves out the checks, for a longer training run.
    on = True

    def __init__(self, kernel, ids, arrays):
        self.kernel, self.ids = kernel, ids
        self.writers, self.reads = {}, []
        if Guard.on:
            self.apart(arrays)

    def apart(self, arrays):
        """The numbers of one must not be the numbers of another under other places."""
        arrays = sorted(arrays, key=lambda array: np.lib.array_utils.byte_bounds(array.memory))
        for one, other in zip(arrays, arrays[1:]):
            if np.may_share_memory(one.memory, other.memory):
                got = f"{one.name} and {other.name}, which share some numbers"
                raise ValueError(f"{self.kernel}: got {got}; expected all or none")

    def check(self, bad, places, programs, what, expected, writers=NOBODY):
        """Raises for the first of the bad places, if there is one; writers: who else wrote it."""
        if np.any(bad):
            bad, places, programs, writers = np.broadcast_arrays(bad, places, programs, writers)
            first = np.unravel_index(bad.argmax(), bad.shape)
            got = f"{what}[{places[first]}] by {self.name(programs[first])}"
            if writers[first] != NOBODY:
                got += f", and a write by {self.name(writers[first])}"
            raise ValueError(f"{self.kernel}: got {got}; expected {expected}")

    def name(self, program):
        if program == ADDED:
            return "tl.atomic_add"
        return f"program ({', '.join(str(i) for i in self.ids(program))})"

    def inside(self, array, places, programs, what):
        count = array.memory.size
        # Read as a number without sign, a place below 0 is a large one.
        if places.size and places.view(np.uint64).max() >= count:
            bad = (places < 0) | (places >= count)
            self.check(bad, places, programs, what, f"a place from 0 to {count - 1}")

    def read(self, array, places, mask, programs):
        """places, mask, programs of any shapes that broadcast; places inside where not mask."""
        self.inside(array, places, programs, f"a read of {array.name}")
        self.reads.append((array, places, mask, programs))

    def write(self, array, places, programs, add):
        """Before a store: an entry for each number that will be written."""
        what = f"a write of {array.name}"
        self.inside(array, places, programs, what)
        if array.name not in self.writers:
            self.writers[array.name] = np.zeros(array.memory.size, np.int32)
        writers, mine = self.writers[array.name], ADDED if add else programs
        before = writers[places]
        writers[places] = mine
        # Where two programs write at this moment, the later one is left.
        other = np.where(before == NOBODY, writers[places], before)
        expected = "one program to write it, or tl.atomic_add by all"
        self.check(other != mine, places, programs, what, expected, other)

    def written(self, array, places, value, programs):
        """After a store: of two numbers for one place the last is left."""
        left = array.memory[places]
        bad = (left != value) & ((left == left) | (value == value))  # NaN is not equal to NaN
        what = f"two numbers for {array.name}"
        self.check(bad, places, programs, what, "one number for a place")

    def end(self):
        """Who read what another wrote: asked last, since the write may come after the read."""
        for array, places, mask, programs in self.reads:
            if array.name in self.writers:
                writers = self.writers[array.name].take(places)
                bad = (writers != NOBODY) & (writers != programs) & mask
                expected = "nothing that another program writes in this launch"
                self.check(bad, places, programs, f"a read of {array.name}", expected, writers)
