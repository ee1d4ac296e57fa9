"""Arrays that numpy cannot touch, and a backend for them: what stands between is the seam."""

import inspect
from types import ModuleType

import numpy as np

from engine import backend, cpu


class Far:
    """Numbers that lie elsewhere: whoever wants them here asks for numpy()."""

    __array_ufunc__ = None

    def __init__(self, x):
        self.x = x
        self.shape, self.dtype, self.ndim = x.shape, x.dtype, x.ndim
        self.size, self.nbytes = x.size, x.nbytes

    def __array__(self, *arguments, **options):
        raise AssertionError("numpy has been asked to compute with an array that lies elsewhere")

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, places):
        assert isinstance(places, slice)
        return Far(self.x[places])

    def __setitem__(self, places, values):
        assert places is ...
        self.x[...] = here(values)

    def reshape(self, *shape):
        return Far(self.x.reshape(*shape))

    def item(self):
        return self.x.item()

    def numpy(self):
        return self.x.copy()


def here(x):
    if isinstance(x, tuple):
        return tuple(map(here, x))
    return x.x if isinstance(x, Far) else x


def there(y, known):
    """Results as they are given back. known: for the id of an array its Far, such as an argument's
    that was changed in place.
    """
    if isinstance(y, tuple):
        return tuple(there(each, known) for each in y)
    if not isinstance(y, (np.ndarray, np.generic)):
        return y
    return known.setdefault(id(y), Far(np.asarray(y)))


def far_backend():
    """A module with the functions of cpu, of Far arrays; calls lists the names of those called."""
    module = ModuleType("far")
    module.calls = []

    def far(name, function):
        def call(*arguments):
            module.calls.append(name)
            known = {id(x.x): x for x in arguments if isinstance(x, Far)}
            return there(function(*here(arguments)), known)

        return call

    for name, function in inspect.getmembers(cpu, inspect.isfunction):
        setattr(module, name, far(name, function))
    return module


def install(monkeypatch):
    """Makes "far" a device; returns its backend."""
    module = far_backend()
    monkeypatch.setitem(backend.BACKENDS, Far, module)
    monkeypatch.setitem(backend.DEVICES, "far", lambda x: Far(np.array(x)))
    return module
