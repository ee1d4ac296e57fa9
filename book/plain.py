"""The same model on a plain engine, for book/bench.py: a node per operation, closures, recursion.

Written the way small engines usually are: each operation makes a node whose backward function
is a closure over its parents, and the order is found by a recursive walk. Python's collector of
cycles stays on, since such graphs hold cycles and nothing else frees them.
"""

import math


class Node:
    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.hand_on = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Node) else Node(other)
        out = Node(self.data + other.data, (self, other))

        def hand_on():
            self.grad += out.grad
            other.grad += out.grad

        out.hand_on = hand_on
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Node) else Node(other)
        out = Node(self.data * other.data, (self, other))

        def hand_on():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.hand_on = hand_on
        return out

    def __pow__(self, n):
        out = Node(self.data**n, (self,))

        def hand_on():
            self.grad += n * self.data ** (n - 1) * out.grad

        out.hand_on = hand_on
        return out

    def exp(self):
        out = Node(math.exp(self.data), (self,))

        def hand_on():
            self.grad += out.data * out.grad

        out.hand_on = hand_on
        return out

    def log(self):
        out = Node(math.log(self.data), (self,))

        def hand_on():
            self.grad += out.grad / self.data

        out.hand_on = hand_on
        return out

    def tanh(self):
        out = Node(math.tanh(self.data), (self,))

        def hand_on():
            self.grad += (1 - out.data**2) * out.grad

        out.hand_on = hand_on
        return out

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -other

    def __truediv__(self, other):
        return self * other**-1

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node.hand_on()


def total(nodes):
    result = nodes[0]
    for node in nodes[1:]:
        result = result + node
    return result


def dot(a, b):
    return total([x * y for x, y in zip(a, b)])


def linear(x, weight, bias):
    return [dot(row, x) + b for row, b in zip(weight, bias)]


def softmax(logits):
    highest = max(logit.data for logit in logits)
    exps = [(logit - Node(highest)).exp() for logit in logits]
    share = total(exps) ** -1
    return [e * share for e in exps]


def layernorm(x, weight, bias, eps=1e-5):
    mean = total(x) * (1 / len(x))
    centred = [number - mean for number in x]
    variance = total([number * number for number in centred]) * (1 / len(x))
    r = (variance + eps) ** -0.5
    return [w * (number * r) + b for w, number, b in zip(weight, centred, bias)]


def gelu(x):
    u = (x + x * x * x * 0.044715) * math.sqrt(2 / math.pi)
    return x * (u.tanh() + 1.0) * 0.5


class PlainGPT:
    """The model of act-1 with the weights of `model`, made of Nodes. params: {name: Node}."""

    def __init__(self, model):
        self.params = {name: Node(weight.data) for name, weight in model.named_parameters()}
        self.H = model.blocks[0].attn.H
        self.tok_emb, self.pos_emb = self.matrix("tok_emb"), self.matrix("pos_emb")
        self.ln_f = self.vector("ln_f.weight"), self.vector("ln_f.bias")
        self.blocks = []
        for i in range(len(model.blocks)):
            parts = {}
            for part in ("attn.qkv", "attn.proj", "mlp.up", "mlp.down"):
                full = f"blocks.{i}.{part}"
                parts[part] = (self.matrix(f"{full}.weight"), self.vector(f"{full}.bias"))
            for part in ("ln_1", "ln_2"):
                full = f"blocks.{i}.{part}"
                parts[part] = (self.vector(f"{full}.weight"), self.vector(f"{full}.bias"))
            self.blocks.append(parts)

    def vector(self, name):
        found = []
        while f"{name}.{len(found)}" in self.params:
            found.append(self.params[f"{name}.{len(found)}"])
        return found

    def matrix(self, name):
        rows = []
        while row := self.vector(f"{name}.{len(rows)}"):
            rows.append(row)
        return rows

    def loss(self, letters):
        xs = []
        for t, x in enumerate(letters[:-1]):
            xs.append([a + b for a, b in zip(self.tok_emb[x], self.pos_emb[t])])
        for parts in self.blocks:
            xs = self.block(xs, parts)
        losses = []
        for x, y in zip(xs, letters[1:]):
            n = layernorm(x, *self.ln_f)
            losses.append(-softmax([dot(row, n) for row in self.tok_emb])[y].log())
        return total(losses) * (1 / len(losses))

    def block(self, xs, parts):
        C, D = len(xs[0]), len(xs[0]) // self.H
        qkv = [linear(layernorm(x, *parts["ln_1"]), *parts["attn.qkv"]) for x in xs]
        heard = [[] for _ in xs]
        for start in range(0, C, D):
            q = [row[start : start + D] for row in qkv]
            k = [row[C + start : C + start + D] for row in qkv]
            v = [row[2 * C + start : 2 * C + start + D] for row in qkv]
            for t in range(len(xs)):
                p = softmax([dot(q[t], k[s]) * (1 / math.sqrt(D)) for s in range(t + 1)])
                heard[t] += [dot(p, [v[s][c] for s in range(t + 1)]) for c in range(D)]
        ys = []
        for x, y in zip(xs, heard):
            x = [a + b for a, b in zip(x, linear(y, *parts["attn.proj"]))]
            hidden = [gelu(h) for h in linear(layernorm(x, *parts["ln_2"]), *parts["mlp.up"])]
            ys.append([a + b for a, b in zip(x, linear(hidden, *parts["mlp.down"]))])
        return ys


class PlainAdam:
    """The Adam of act-1 on Nodes; the learning rate is set from outside."""

    def __init__(self, params, lr, betas, eps):
        self.params, self.lr, self.betas, self.eps = list(params), lr, betas, eps
        self.m, self.v = [0.0] * len(self.params), [0.0] * len(self.params)
        self.t = 0

    def step(self):
        beta1, beta2 = self.betas
        self.t += 1
        for i, p in enumerate(self.params):
            self.m[i] = beta1 * self.m[i] + (1 - beta1) * p.grad
            self.v[i] = beta2 * self.v[i] + (1 - beta2) * p.grad**2
            m, v = self.m[i] / (1 - beta1**self.t), self.v[i] / (1 - beta2**self.t)
            p.data -= self.lr * m / (v**0.5 + self.eps)
            p.grad = 0.0
