"""All weights of a model in one array, and all their gradients in another."""

from engine import cpu
from engine.backend import on

# A weight begins at a multiple of so many numbers: in float32, of 64 bytes.
ALIGN = 16
# So many numbers of each array that AdamW needs fit into a processor's cache together.
BLOCK = 65_536


class Flat:
    """Weights one after another in one array, data; their gradients at the same places in grad.

    From then on each weight's own data and grad are views of these: other names for the same
    memory, to be changed in place only. Up to where the next weight begins there are zeros.

    groups: dicts of params and weight_decay, as decay_groups makes them. What is in one group
    stands together; stretches has (start, stop, weight_decay) of each.
    zeros: makes an array of a size and dtype, as cpu.zeros does; if None, where the weights lie.
    Raises ValueError where the weights are not all of one dtype.
    """

    def __init__(self, groups, zeros=None):
        self.params = [param for group in groups for param in group["params"]]
        self.starts, self.stretches, size = [], [], 0
        for group in groups:
            start = size
            for param in group["params"]:
                self.starts.append(size)
                size += -(-param.size // ALIGN) * ALIGN
            self.stretches.append((start, size, group["weight_decay"]))
        dtypes = {str(param.dtype) for param in self.params}
        if len(dtypes) != 1:
            raise ValueError(f"Flat: got weights of {sorted(dtypes)}; expected one dtype")
        (dtype,) = dtypes
        zeros = zeros or on(self.params[0].data).zeros
        self.zeros = lambda: zeros(size, dtype)
        self.data = self.zeros()
        self.data_views = self.views(self.data)
        for param, view in zip(self.params, self.data_views):
            view[...] = param.data
            param.data = view
        self.move_grad(self.zeros())

    def views(self, array):
        """Of an array laid out as data is: each weight's numbers, in its shape."""
        places = zip(self.params, self.starts)
        return [array[start : start + w.size].reshape(w.shape) for w, start in places]

    def move_grad(self, array):
        """From now on gradients are in this array."""
        self.grad, self.grad_views = array, self.views(array)
        for param, view in zip(self.params, self.grad_views):
            param.grad = view

    def zero_grad(self):
        """All to 0. Raises ValueError where a weight has another array now, which this misses."""
        for param, data, grad in zip(self.params, self.data_views, self.grad_views):
            if param.data is not data or param.grad is not grad:
                raise ValueError("Flat: got other arrays than at first; expected a new Flat")
        on(self.grad).fill(self.grad, 0.0)


class FlatAdamW:
    """AdamW of all weights of a Flat in few sweeps; m and v are flat too. Its plain form is in
    engine/optim.py. A weight that no gradient has reached has one of 0 here, and is stepped too.

    A processor takes one block after another through all lines of AdamW, and fetches it from memory
    only once.
    """

    def __init__(self, flat, lr, betas=(0.9, 0.99), eps=1e-8):
        self.flat, self.lr, self.betas, self.eps, self.t = flat, lr, betas, eps, 0
        self.m, self.v = flat.zeros(), flat.zeros()

    def step(self, start=0, stop=None, *clipping):
        """Steps all numbers of the flat arrays, or those from place start to stop - 1.

        clipping: the norm of all gradients, and what it may be at most.
        """
        self.t += 1
        stop = self.flat.data.size if stop is None else stop
        settings = self.t, self.lr, self.betas, self.eps
        arrays = self.flat.data, self.flat.grad, self.m, self.v
        backend = on(self.flat.data)
        size = BLOCK if backend is cpu else stop
        for first, end, decay in self.flat.stretches:
            end = min(end, stop)
            for i in range(max(first, start), end, size):
                block = slice(i, min(i + size, end))
                backend.adamw_step(*(array[block] for array in arrays), *settings, decay, *clipping)
