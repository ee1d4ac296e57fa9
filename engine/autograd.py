"""Arrays that remember how they were made.

A method of Tensor is what one writes with plain numbers or numpy's arrays: an operator, a function
of each number alone (exp, tanh; relu and gelu beside them), an index and the like. The parts of a
network are functions in ops.py. Of the methods, +, gelu and @ have their arithmetic in cpu.py, as
those parts have; the GPT calls the first two.
"""

import numpy as np

from engine.backend import BACKENDS, host, on

NUMBERS = (int, float, np.number, np.ndarray)
FLOATS = (np.float32, np.float64)


def comparison(compare):
    """The method that makes x == y, x < y and so on an array of True and False, as numpy does.

    What is no number, array or Tensor is left to Python: x == None is False, x < None a TypeError.
    """

    def method(self, other):
        if not isinstance(other, (Tensor, *NUMBERS)):
            return NotImplemented
        return compare(self.data, lift(other, self.dtype).data)

    return method


class Tensor:
    """An array, the Tensors it was made from (its parents), and the rule that leads back to them.

    The rule takes dy, the gradient of the loss towards this Tensor, and returns the gradient
    towards each parent. Operators: + - * / with a number or an array on either side, ** with a
    plain number; exp and log.
    grad is None until loss.backward() finds a slope for each number in data (in a Flat it is 0 at
    first); used says that the graph has been walked through it.
    Arrays are taken as they are, not copied: whoever changes one before backward() may change a
    gradient.
    Missing are permute, squeeze, stack, split, sqrt, abs, clip, var, argmax, log_softmax and more:
    tests/engine/test_missing.py says what to write instead.
    """

    __slots__ = ("data", "grad", "parents", "rule", "used")
    # array * Tensor is then left to our __rmul__, not tried number by number.
    __array_ufunc__ = None
    # False inside no_grad.
    recording = True

    def __init__(self, data, parents=(), rule=lambda dy: ()):
        if parents and not Tensor.recording:
            parents, rule = (), lambda dy: ()
        data = data if type(data) in BACKENDS else np.asarray(data)
        if data.dtype.kind not in "fiub":
            raise ValueError(f"Tensor: got the dtype {data.dtype}; expected real numbers")
        self.data = data if data.dtype in FLOATS else data.astype(np.float64)
        self.grad = None
        self.parents = parents
        self.rule = rule
        self.used = False

    def __repr__(self):
        return f"Tensor(data={self.data}, grad={self.grad})"

    @property
    def shape(self):
        """The size of each axis: () for a number, (C,) for a vector, (T, C) for T rows of C."""
        return self.data.shape

    @property
    def dtype(self):
        """float32 or float64; lists and whole numbers become float64."""
        return self.data.dtype

    @property
    def ndim(self):
        """How many axes."""
        return self.data.ndim

    @property
    def size(self):
        """How many numbers."""
        return self.data.size

    def __len__(self):
        return len(self.data)

    def __float__(self):
        return self.data.item()

    def __bool__(self):
        return bool(self.data)

    __eq__, __ne__ = comparison(np.equal), comparison(np.not_equal)
    __lt__, __le__ = comparison(np.less), comparison(np.less_equal)
    __gt__, __ge__ = comparison(np.greater), comparison(np.greater_equal)
    # In a set or a dict a Tensor is still itself, whatever its numbers.
    __hash__ = object.__hash__

    def item(self):
        """The number of a Tensor that holds just one, as a plain float."""
        return self.data.item()

    def numpy(self):
        """The array itself, not a copy; of numbers that lie elsewhere a copy."""
        return host(self.data)

    def detach(self):
        """A Tensor of the same array that was made from nothing: no gradient goes past it."""
        return Tensor(self.data)

    def backward(self):
        """Adds d(self)/d(node) to node.grad, for self and every node it was made from.

        Chain rule: a node hands on to its parents what its rule makes of its own grad, once that
        is complete, that is, after every node that was made from it. The node then lets go of its
        parents and its rule, and so of their memory.
        Raises ValueError where self is not one number or is made from nothing, a part of the graph
        was walked before, or a rule returns a gradient of another shape than the parent's.
        """
        if self.shape != ():
            raise ValueError(f"backward: got shape {self.shape}; expected one number, the loss")
        order = parents_first(self)
        # Nodes walked before have no parents left. They are not in order, but parents of what is.
        if any(node.used or any(parent.used for parent in node.parents) for node in order):
            raise ValueError("backward: got a graph already used; expected a newly computed loss")
        if not self.parents:
            got = "a Tensor made from nothing"
            raise ValueError(f"backward: got {got}; expected a loss computed outside of no_grad")
        # A number of numpy's, not a plain one: rules ask for its shape.
        self.grad = np.ones((), self.dtype)
        while order:
            node = order.pop()
            for parent, gradient in zip(node.parents, node.rule(node.grad), strict=True):
                if gradient.shape != parent.shape:
                    gradient = on(gradient).unbroadcast(gradient, parent.shape)
                if parent.grad is None:
                    # Only a weight needs a copy: its grad is added to in place.
                    parent.grad = gradient if parent.parents else on(gradient).copy(gradient)
                elif parent.parents:
                    parent.grad = on(gradient).add(parent.grad, gradient)
                else:
                    parent.grad = on(gradient).add_to(parent.grad, gradient)
            node.used = node.parents != ()
            node.parents, node.rule = (), None

    def __add__(self, other):
        other = lift(other, self.dtype)
        y = on(self.data).add(self.data, other.data)
        return Tensor(y, (self, other), lambda dy: (dy, dy))

    def __mul__(self, other):
        other = lift(other, self.dtype)
        y = self.data * other.data
        return Tensor(y, (self, other), lambda dy: (dy * other.data, dy * self.data))

    def exp(self):
        """y = e ** x    slope y"""
        limit = 709.78 if self.dtype == np.float64 else 88.72
        if np.any(self.data > limit):
            got = self.data.max()
            raise ValueError(f"exp: got {got}; expected at most {limit}, beyond it overflows")
        y = np.exp(self.data)
        return Tensor(y, (self,), lambda dy: (dy * y,))

    def log(self):
        """y = log(x), the natural logarithm    slope 1 / x"""
        if np.any(self.data <= 0):
            raise ValueError(f"log: got {self.data.min()}; expected a number above 0")
        return Tensor(np.log(self.data), (self,), lambda dy: (dy / self.data,))

    def __sub__(self, other):
        other = lift(other, self.dtype)
        return Tensor(self.data - other.data, (self, other), lambda dy: (dy, -dy))

    # The rest makes a Tensor as handy as numpy's arrays.

    def __truediv__(self, other):
        """y = a / b    slopes 1 / b and -y / b"""
        other = lift(other, self.dtype)
        if np.any(other.data == 0):
            raise ValueError("division: got a divisor of 0; expected another number")
        y = self.data / other.data
        return Tensor(y, (self, other), lambda dy: (dy / other.data, -dy * y / other.data))

    def __pow__(self, n):
        """y = x ** n for a plain number n    slope n * x ** (n - 1)"""
        if isinstance(n, np.number):
            n = n.item()
        if not isinstance(n, (int, float)):
            kind = type(n).__name__
            raise ValueError(f"power: got an exponent of type {kind}; expected a plain number")
        x = self.data
        if np.any(x == 0) and n < 1 and n != 0:
            raise ValueError(f"power: got 0.0 ** {n}, which has no slope; expected another base")
        if np.any(x < 0) and n != int(n):
            raise ValueError(f"power: got {x.min()} ** {n}; expected a base of at least 0")
        slope = n * x ** (n - 1) if n else np.zeros_like(x)
        return Tensor(x**n, (self,), lambda dy: (dy * slope,))

    def tanh(self):
        """y = tanh(x), which bends from -1 up to 1    slope 1 - y ** 2"""
        y = np.tanh(self.data)
        return Tensor(y, (self,), lambda dy: (dy * (1 - y * y),))

    def relu(self):
        """y = x above 0, else 0    slope 1 above 0, else 0"""
        return Tensor(np.maximum(self.data, 0.0), (self,), lambda dy: (dy * (self.data > 0),))

    def gelu(self):
        """y = x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3))) / 2"""
        y, saved = on(self.data).gelu_forward(self.data)
        return Tensor(y, (self,), lambda dy: (on(dy).gelu_backward(dy, self.data, saved),))

    def __neg__(self):
        return self * -1.0

    def __matmul__(self, other):
        """y = a @ b    da = dy @ b.T    db = a.T @ dy    a (…, N, C), b (…, C, K), y (…, N, K)"""
        other = lift(other, self.dtype)
        a, b = self.shape, other.shape
        if min(len(a), len(b)) < 2 or a[-1] != b[-2]:
            raise ValueError(f"matmul: got {a} @ {b}; expected (…, N, C) @ (…, C, K)")
        y = on(self.data).matmul_forward(self.data, other.data)

        def rule(dy):
            return on(dy).matmul_backward(dy, self.data, other.data)

        return Tensor(y, (self, other), rule)

    def transpose(self, i, j):
        """Axes i and j change places    dx: they change back"""
        return Tensor(np.swapaxes(self.data, i, j), (self,), lambda dy: (np.swapaxes(dy, i, j),))

    @property
    def T(self):
        """The rows of a table become its columns: (N, C) -> (C, N)"""
        if self.ndim != 2:
            raise ValueError(f"T: got shape {self.shape}; expected two axes, or transpose(i, j)")
        return self.transpose(0, 1)

    def reshape(self, *shape):
        """The same numbers in the same order, in rows of other lengths    dx: dy in x's shape"""
        return Tensor(self.data.reshape(*shape), (self,), lambda dy: (dy.reshape(self.shape),))

    def mean(self, dim=None, keepdim=False, **numpys):
        """The sum divided by how many numbers it adds up"""
        if self.size == 0:
            raise ValueError(f"mean: got shape {self.shape}; expected at least one number")
        total = self.sum(dim, keepdim, **numpys)
        return total * (total.data.size / self.data.size)

    def max(self, dim=None, keepdim=False, **numpys):
        """The largest number along the axis dim, or of all    dx = dy there, shared evenly by ties

        As torch.amax; no index is returned.
        """
        dim, keepdim = axes(dim, keepdim, **numpys)
        y = self.data.max(axis=dim, keepdims=True)
        largest = self.data == y
        shares = (largest / largest.sum(axis=dim, keepdims=True)).astype(self.dtype)

        def rule(dy):
            return (dy.reshape(y.shape) * shares,)

        return Tensor(self.data.max(axis=dim, keepdims=keepdim), (self,), rule)

    def sum(self, dim=None, keepdim=False, **numpys):
        """The sum over the axis dim, or over all numbers    dx = dy, stretched to the shape of x"""
        dim, keepdim = axes(dim, keepdim, **numpys)

        def rule(dy):
            if dim is not None and not keepdim:
                dy = np.expand_dims(dy, dim)
            return (np.broadcast_to(dy, self.shape),)

        return Tensor(self.data.sum(axis=dim, keepdims=keepdim), (self,), rule)

    def __getitem__(self, index):
        """y = x[index], with numpy's indices    dx: dy where y was taken, 0 elsewhere

        A row that is taken twice gets both its gradients.
        """
        # Copies: whoever asks may change theirs before backward.
        entries = index if isinstance(index, tuple) else (index,)
        index = tuple([e.copy() if hasattr(e, "copy") else e for e in entries])

        def rule(dy):
            dx = np.zeros_like(self.data)
            np.add.at(dx, index, dy)
            return (dx,)

        return Tensor(self.data[index], (self,), rule)

    # With a plain number on the left, as in 2.0 - a, Python asks the right side.

    def __radd__(self, other):
        return lift(other, self.dtype) + self

    def __rsub__(self, other):
        return lift(other, self.dtype) - self

    def __rmul__(self, other):
        return lift(other, self.dtype) * self

    def __rmatmul__(self, other):
        return lift(other, self.dtype) @ self

    def __rtruediv__(self, other):
        return lift(other, self.dtype) / self

    def __rpow__(self, base):
        """base ** x = e ** (x * log(base))"""
        return (self * lift(base, self.dtype).log().data).exp()


class no_grad:
    """with no_grad(): Tensors made inside remember nothing, so that their parents can be freed."""

    def __init__(self):
        self.before = []  # one entry for each with that this stands in

    def __enter__(self):
        self.before.append(Tensor.recording)
        Tensor.recording = False

    def __exit__(self, *error):
        Tensor.recording = self.before.pop()


def lift(number, dtype=np.float64):
    """A Tensor as it is; a plain number or array as a Tensor of this dtype without parents."""
    if isinstance(number, Tensor):
        return number
    if not isinstance(number, NUMBERS):
        raise ValueError(f"Tensor: got {number!r}; expected a number, an array or a Tensor")
    tensor = Tensor(number)
    tensor.data = tensor.data.astype(dtype, copy=False)
    return tensor


def lift_all(*numbers):
    """Each of them lifted, to the dtype of the first Tensor that is among them."""
    dtype = next((x.dtype for x in numbers if isinstance(x, Tensor)), np.float64)
    return [lift(x, dtype) for x in numbers]


def axes(dim, keepdim, axis=None, keepdims=False, dtype=None, out=None):
    """dim and keepdim, or numpy's axis and keepdims: np.sum(x, 0) calls x.sum(axis=0, out=None)"""
    if dtype is not None or out is not None or (dim is not None and axis is not None):
        raise ValueError("sum, mean, max: got dtype, out or two axes; expected dim and keepdim")
    return (axis if dim is None else dim), keepdim or keepdims


def parents_first(last):
    """`last` and all that it was made from, in an order in which parents stand before children.

    Nodes without parents are left out, since they have nothing to hand on: weights, plain numbers,
    and nodes that backward has walked.
    """
    order, entered, stack = {}, set(), [last]
    while stack:
        node = stack[-1]
        if node not in entered:
            entered.add(node)
            for parent in node.parents:
                if parent.parents and parent not in entered:
                    stack.append(parent)
        else:
            # All its parents are in order. It may be on the stack twice; a dict keeps the first.
            order[stack.pop()] = True
    return list(order)
