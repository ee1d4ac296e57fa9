"""Data of a few names, given as lists."""

from model.data import Names


class FewNames(Names):
    def __init__(self, train, held_out=()):
        self.train, self.held_out = list(train), list(held_out)
