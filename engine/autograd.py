"""Numbers that remember how they were made."""

import math


class Value:
    """A number with its parents, the Values it was made from, and its slope towards each.

    The slope of y towards a parent x is the slope of y with respect to x. Operators: + - * / and
    ** with a plain number on either side; exp and log.
    After loss.backward(), grad is the slope of the loss towards this Value, and used says that the
    graph has been walked through it.
    """

    __slots__ = ("data", "grad", "parents", "slopes", "used")

    def __init__(self, data, parents=(), slopes=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.slopes = slopes
        self.used = False

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    def backward(self):
        """Adds d(self)/d(node) to node.grad, for self and every node it was made from.

        Chain rule: a node hands on to each parent  grad of the parent += slope * grad of the node,
        once its own grad is complete, that is, after every node that was made from it.
        Raises ValueError where a part of the graph has been walked before.
        """
        order = parents_first(self)
        if any(node.used for node in order):
            raise ValueError("backward: got a graph already used; expected a newly computed loss")
        self.grad += 1.0
        for node in reversed(order):
            for parent, slope in zip(node.parents, node.slopes):
                parent.grad += slope * node.grad
            node.used = True

    def __add__(self, other):
        other = lift(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = lift(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def exp(self):
        """y = e ** x    slope y"""
        if self.data > 709.78:
            raise ValueError(f"exp: got {self.data}; expected at most 709.78, beyond it overflows")
        y = math.exp(self.data)
        return Value(y, (self,), (y,))

    def log(self):
        """y = log(x), the natural logarithm    slope 1 / x"""
        if self.data <= 0:
            raise ValueError(f"log: got {self.data}; expected a number above 0")
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def __sub__(self, other):
        other = lift(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    # The rest makes a Value as handy as a plain number.

    def __truediv__(self, other):
        """y = a / b    slopes 1 / b and -y / b"""
        other = lift(other)
        if other.data == 0:
            raise ValueError("division: got a divisor of 0; expected another number")
        y = self.data / other.data
        return Value(y, (self, other), (1 / other.data, -y / other.data))

    def __pow__(self, n):
        """y = x ** n for a plain number n    slope n * x ** (n - 1)"""
        if not isinstance(n, (int, float)):
            kind = type(n).__name__
            raise ValueError(f"power: got an exponent of type {kind}; expected a plain number")
        x = self.data
        if x == 0 and n < 1 and n != 0:
            raise ValueError(f"power: got {x} ** {n}, which has no slope; expected another base")
        if x < 0 and n != int(n):
            raise ValueError(f"power: got {x} ** {n}; expected a base of at least 0")
        return Value(x**n, (self,), (n * x ** (n - 1) if n else 0.0,))

    def tanh(self):
        """y = tanh(x), which bends from -1 up to 1    slope 1 - y ** 2"""
        y = math.tanh(self.data)
        return Value(y, (self,), (1 - y * y,))

    def relu(self):
        """y = x above 0, else 0    slope 1 above 0, else 0"""
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def gelu(self):
        """y = x * (1 + tanh(u)) / 2, u = sqrt(2 / pi) * (x + 0.044715 * x ** 3)

        slope (1 + tanh(u)) / 2 + x * (1 - tanh(u) ** 2) / 2 * du/dx
        Hendrycks and Gimpel, 2016, in the form with tanh that GPT-2 uses.
        """
        x, k = self.data, math.sqrt(2 / math.pi)
        t = math.tanh(k * (x + 0.044715 * x * x * x))
        slope = (1 + t) / 2 + x * (1 - t * t) / 2 * k * (1 + 3 * 0.044715 * x * x)
        return Value(x * (1 + t) / 2, (self,), (slope,))

    def __neg__(self):
        return self * -1.0

    # With a plain number on the left, as in 2.0 - a, Python asks the right side.

    def __radd__(self, other):
        return lift(other) + self

    def __rsub__(self, other):
        return lift(other) - self

    def __rmul__(self, other):
        return lift(other) * self

    def __rtruediv__(self, other):
        return lift(other) / self

    def __rpow__(self, base):
        """base ** x = e ** (x * log(base))"""
        return (self * lift(base).log().data).exp()


def lift(number):
    """A Value as it is; a plain number as a Value without parents."""
    if isinstance(number, Value):
        return number
    if not isinstance(number, (int, float)):
        raise ValueError(f"Value: got {number!r}; expected a number or a Value")
    return Value(number)


def parents_first(last):
    """`last` and all that it was made from, in an order in which parents stand before children.

    Weights and plain numbers are left out: made from nothing, they have nothing to hand on.
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
