"""What a step costs: bytes that go through memory, counted while the step is computed."""

import contextlib
import inspect

import numpy as np

from engine import cpu
from engine.autograd import parents_first
from engine.backend import on


@contextlib.contextmanager
def watched(module, watch):
    """Inside, each call of a function of `module` becomes watch(name, function, *arguments), which
    is to return function(*arguments). Calls of one of them by another are not watched.
    """
    busy = False

    def instead(name, function):
        def call(*arguments):
            nonlocal busy
            if busy:
                return function(*arguments)
            busy = True
            try:
                return watch(name, function, *arguments)
            finally:
                busy = False

        return call

    functions = inspect.getmembers(module, inspect.isfunction)
    try:
        for name, function in functions:
            setattr(module, name, instead(name, function))
        yield
    finally:
        for name, function in functions:
            setattr(module, name, function)


def arrays(values):
    """The arrays among values, and those in tuples and lists among them."""
    for value in values:
        if isinstance(value, (tuple, list)):
            yield from arrays(value)
        elif hasattr(value, "nbytes"):
            yield value


def nbytes(*values):
    """The bytes of the arrays among values, and of those in tuples and lists."""
    return sum(array.nbytes for array in arrays(values))


def moved(name, arguments, results):
    """The bytes that a call reads and writes: the arrays that it is given, those that it returns.

    An embedding reads as many rows of its table as it writes, not all. What stands among the
    results twice is written once. dlogits that were saved are handed on and do not move.
    """
    if name == "cross_entropy_backward" and results is arguments[3]:
        return 0
    if name == "embedding_forward":
        arguments = results, *arguments[1:]
    written = {id(array): array for array in arrays([results])}
    return nbytes(arguments, *written.values())


def share_memory(x, y):
    """Whether one is a view of the other. Of arrays that lie elsewhere: True, since there only a
    function of the backend makes new numbers.
    """
    return on(x) is not cpu or np.may_share_memory(x, y)


def count_bytes(f, backend=cpu):
    """(nodes, bytes) of loss = f() and loss.backward(), computed by this backend.

    A function of the backend reads the arrays it is given and writes those it returns; what it
    makes besides and lets go of is not counted. A node that asks no such function reads its parents
    and writes itself; on the way back it reads both, and dy, and writes its parents' gradients.
    What shares memory with dy or a parent is a view of it and moves nothing.
    """
    total, made = 0, []

    def watch(name, function, *arguments):
        nonlocal total
        results = function(*arguments)
        total += moved(name, arguments, results)
        made.extend(results if isinstance(results, tuple) else [results])
        return results

    def counted(rule, y, inputs, asked):
        def instead(dy):
            nonlocal total
            made.clear()
            if on(dy) is cpu:
                dy = np.asarray(dy)  # a number of numpy's would share no memory
            gradients = rule(dy)
            if made:
                return gradients
            if not asked and not any(share_memory(y, x) for x in inputs):
                total += nbytes(inputs, y)
            if not all(share_memory(gradient, dy) for gradient in gradients):
                total += nbytes(inputs, y, dy, gradients)
            return gradients

        return instead

    with watched(backend, watch):
        loss = f()
        results, nodes = {id(x) for x in made}, parents_first(loss)
        for node in nodes:
            inputs = [parent.data for parent in node.parents]
            node.rule = counted(node.rule, node.data, inputs, id(node.data) in results)
        loss.backward()
    return len(nodes), total
