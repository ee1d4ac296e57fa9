"""A training step shared by processes, so that two cores work on it."""

import contextlib
import mmap
import multiprocessing
import os
import signal
from multiprocessing.util import Finalize

import numpy as np

from engine.backend import on
from engine.flat import ALIGN, Flat, FlatAdamW
from engine.noise import Noise
from engine.ops import cross_entropy


def shared(size, dtype):
    """As np.zeros, in memory that a copy of the process shares."""
    return np.frombuffer(mmap.mmap(-1, size * np.dtype(dtype).itemsize), dtype)


def make_worker(model, groups, lr, processes=1, noise=None):
    """A Worker for the model, or a Team, with AdamW for the groups that decay_groups makes."""
    if processes == 1:
        return Worker(model, FlatAdamW(Flat(groups), lr))
    return Team(model, FlatAdamW(Flat(groups, shared), lr), processes, noise)


class Worker:
    """A process that takes rows of a batch through the model and then steps weights: alone, all.

    Of `count` processes it is number `rank`, and has a share of the rows, and from `start` to
    `stop` a share of the flat arrays. It may read all gradients, and writes its own.
    """

    def __init__(self, model, optimizer, count=1):
        self.model, self.optimizer, self.flat = model, optimizer, optimizer.flat
        self.backend = on(self.flat.data)
        self.gradients = [self.flat.grad, *(self.flat.zeros() for _ in range(count - 1))]
        self.take(0)

    def take(self, rank):
        """Shares begin at multiples of 16 numbers, so that no two are in one line of a cache."""
        count, lines = len(self.gradients), self.flat.data.size // ALIGN
        self.rank, self.count = rank, count
        self.start, self.stop = (ALIGN * (lines * r // count) for r in (rank, rank + 1))
        self.flat.move_grad(self.gradients[rank])

    def backward(self, x, y, micro_batches=1):
        """The mean loss over x, y (B, T); its gradients are left with those who made them.

        It is where the weights are; number() of engine/backend.py waits for it.
        mean = sum over the shares of (tokens in the share / tokens in all) * (mean of the share)
        micro_batches: each process takes its rows in so many, one after another.
        """
        return self.backend.total(*self.ask("work", x, y, micro_batches, self.optimizer.t))

    def step(self, max_norm):
        """A step of AdamW with gradients of a norm up to `max_norm`; returns the norm as it was,
        which is where the weights are.
        """
        norm = self.backend.norm(*self.ask("add"))
        self.ask("update", norm, max_norm, self.optimizer.lr, self.optimizer.t)
        return norm

    def ask(self, name, *arguments):
        """What each process answers to one of the following, this one first."""
        return [getattr(self, name)(*arguments)]

    def work(self, x, y, micro_batches, t):
        """Leaves the gradients of this one's rows; returns its part of the loss. t: steps done."""
        self.flat.zero_grad()
        tokens = np.sum(y >= 0)
        x, y = (np.array_split(rows, self.count)[self.rank] for rows in (x, y))
        return accumulate(self.model, x, y, micro_batches, tokens)

    def add(self):
        """Adds up the gradients of all in this one's share; returns their square_sum."""
        share = slice(self.start, self.stop)
        mine = self.flat.grad[share]
        for rank, gradient in enumerate(self.gradients):
            if rank != self.rank:
                self.backend.add_to(mine, gradient[share])
        return self.backend.square_sum(mine)

    def update(self, norm, max_norm, lr, t):
        """Steps this one's share of the weights, with its share of the gradients, clipped."""
        self.optimizer.lr, self.optimizer.t = lr, t
        self.optimizer.step(self.start, self.stop, norm, max_norm)


class Team(Worker):
    """This process and helpers, copies of it: each has its share of rows and of weights.

    Weights, gradients and AdamW's averages are in memory that all share. A gradient is added up by
    the process that steps its weight, always in the same order: a run repeats to the last bit.
    Known as stage 1 of ZeRO: Rajbhandari and others, 2020.

    noise: the Noise of the model's dropout. A helper has a stream of its own, and in it a place for
    each step: all leave out different numbers, and a run that is resumed leaves out the same.

    Threads would share all memory without any of this. But Python runs one of them at a time;
    while numpy computes the others go on, and still they wait a lot.
    """

    def __init__(self, model, optimizer, processes=2, noise=None):
        super().__init__(model, optimizer, processes)
        self.noise = Noise(0) if noise is None else noise
        self.pipes = []
        for rank in range(1, processes):
            fork = multiprocessing.get_context("fork")
            try:
                pipe, end = fork.Pipe()
                fork.Process(target=self.help, args=(rank, pipe, end), daemon=True).start()
            except OSError as error:
                got = f"{error.strerror} for {processes} processes"
                raise ValueError(f"Team: got {got}; expected fewer") from None
            self.pipes.append(pipe)
            # As weakref.finalize; but a process of multiprocessing also calls it when it ends.
            Finalize(self, pipe.close, exitpriority=0)

    def help(self, rank, pipe, end):
        """What a helper does until the first process lets go of its pipe: it answers."""
        pipe.close()
        for number in (signal.SIGINT, signal.SIGTERM):  # it is the first process that ends a run
            signal.signal(number, signal.SIG_IGN)
        # Linux likes to wake who is sent a message on the core of the sender, which is at work.
        if hasattr(os, "sched_setaffinity"):
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, cores[1:] or cores)
        self.take(rank)
        self.noise.seed += rank << 32
        with contextlib.suppress(EOFError, OSError):
            while True:
                end.send(self.answer(*end.recv()))

    def work(self, x, y, micro_batches, t):
        if self.rank:
            # The upper half of a counter is the step; in the lower half, a step's counters.
            self.noise.offset = t << 32
        return super().work(x, y, micro_batches, t)

    def answer(self, name, *arguments):
        try:
            return getattr(self, name)(*arguments)
        except (ValueError, MemoryError) as error:
            return error

    def heard(self, pipe):
        """What a helper answers, or that it is gone."""
        try:
            return pipe.recv()
        except (EOFError, OSError):
            return ValueError("Team: got no answer; expected a helper that is not killed")

    def ask(self, name, *arguments):
        for pipe in self.pipes:
            with contextlib.suppress(OSError):  # who is gone will not answer either
                pipe.send((name, *arguments))
        answers = []
        try:
            answers.append(self.answer(name, *arguments))
        finally:
            # All are read, whatever was raised: the next question must find no answer to this one.
            answers += [self.heard(pipe) for pipe in self.pipes]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers


def accumulate(model, x, y, micro_batches=1, tokens=None):
    """The loss of a batch, and its gradients, added up over micro-batches; x, y (B, T)

    loss = the sum over all its tokens / how many they are, a micro-batch after another
    Only one micro-batch's graph is in memory at a time. Adds to the gradients that are there.
    tokens: of the batch, where x and y are only some of its rows.
    """
    losses, tokens = [], np.sum(y >= 0) if tokens is None else tokens
    for inputs, targets in zip(np.array_split(x, micro_batches), np.array_split(y, micro_batches)):
        if np.any(targets >= 0):
            micro_loss = cross_entropy(model(inputs), targets, count=tokens)
            micro_loss.backward()
            losses.append(micro_loss.data)
    return on(losses[0]).total(*losses) if losses else 0.0
