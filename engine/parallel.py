"""A batch shared by processes, so that two cores work on it."""

import contextlib
import mmap
import multiprocessing
import os
import signal
from multiprocessing.util import Finalize

import numpy as np

from engine.ops import cross_entropy


def shared(size, dtype):
    """As np.zeros, in memory that a copy of the process shares."""
    return np.frombuffer(mmap.mmap(-1, size * np.dtype(dtype).itemsize), dtype)


class Team:
    """This process and helpers, copies of it: each takes some rows of a batch through the model.

    All see the same weights, in memory that they share. The gradients of a helper are in memory
    shared with this process, which adds them to its own, always in the same order: a run repeats
    to the last bit.

    flat: the Flat of the model's weights, Flat(groups, shared).
    noise: the Generator of the model's dropout. A helper begins its rows with a seed drawn
    from it, so that each process leaves out different numbers.

    Threads would share all memory without any of this. But Python runs one of them at a time;
    while numpy computes the others go on, and still they wait a lot.
    """

    def __init__(self, model, flat, processes=2, noise=None):
        self.model, self.flat, self.helpers = model, flat, []
        self.noise = np.random.default_rng(0) if noise is None else noise
        for _ in range(processes - 1):
            fork = multiprocessing.get_context("fork")
            try:
                pipe, end = fork.Pipe()
                gradients = shared(flat.grad.size, flat.grad.dtype)
                fork.Process(target=self.help, args=(pipe, end, gradients), daemon=True).start()
            except OSError as error:
                got = f"{error.strerror} for {processes} processes"
                raise ValueError(f"Team: got {got}; expected fewer") from None
            self.helpers.append((pipe, gradients))
            # As weakref.finalize; but a process of multiprocessing also calls it when it ends.
            Finalize(self, pipe.close, exitpriority=0)

    def help(self, pipe, end, gradients):
        """What a helper does until the first process lets go of its pipe: batch after batch."""
        pipe.close()
        self.flat.move_grad(gradients)
        for number in (signal.SIGINT, signal.SIGTERM):  # it is the first process that ends a run
            signal.signal(number, signal.SIG_IGN)
        # Linux likes to wake who is sent a message on the core of the sender, which is at work.
        if hasattr(os, "sched_setaffinity"):
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, cores[1:] or cores)
        with contextlib.suppress(EOFError, OSError):
            while True:
                seed, *rows = end.recv()
                self.noise.bit_generator.state = np.random.PCG64(seed).state
                self.flat.zero_grad()
                try:
                    answer = self.work(*rows)
                except (ValueError, MemoryError) as error:
                    answer = error
                end.send(answer)

    def work(self, x, y, tokens):
        """What these rows add to the mean loss; leaves gradients."""
        share = np.sum(y >= 0) / tokens
        if share == 0:
            return 0.0
        loss = cross_entropy(self.model(x), y) * share
        loss.backward()
        return loss.item()

    def answer(self, pipe):
        """A helper's share of the mean loss, or the mistake that it met."""
        try:
            return pipe.recv()
        except (EOFError, OSError):
            return ValueError("Team: got no answer; expected a helper that is not killed")

    def backward(self, x, y, tokens=None):
        """The mean loss over x, y (B, T), a float; adds its gradients to those of the model.

        mean = sum over the processes of (tokens of its rows / tokens in all) * (mean of its rows)
        tokens: in all, where x and y are a micro-batch of what the mean goes over.
        """
        tokens = np.sum(y >= 0) if tokens is None else tokens
        count = min(len(x), 1 + len(self.helpers))
        (x, *xs), (y, *ys) = np.array_split(x, count), np.array_split(y, count)
        helpers = self.helpers[: count - 1]
        for (pipe, _), *rows in zip(helpers, xs, ys):
            with contextlib.suppress(OSError):  # who is gone will not answer either
                pipe.send((int(self.noise.integers(2**32)), *rows, tokens))
        try:
            loss = self.work(x, y, tokens)
        finally:
            # All are read, whatever was raised: the next call must find no answer to this one.
            answers = [self.answer(pipe) for pipe, _ in helpers]
        for answer, (_, gradients) in zip(answers, helpers):
            if isinstance(answer, Exception):
                raise answer
            loss += answer
            self.flat.grad += gradients
        return loss
