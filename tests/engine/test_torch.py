"""The same arithmetic in PyTorch: a reference that somebody else has written."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.autograd import Tensor
from engine.ops import cat, cross_entropy, layernorm, softmax, where
from tests.compare import assert_close

torch = pytest.importorskip("torch")
F = torch.nn.functional

# name: (ours, theirs), for two arrays
PAIRS = {
    "add": (lambda a, b: a + b,) * 2,
    "subtract": (lambda a, b: a - b,) * 2,
    "multiply": (lambda a, b: a * b,) * 2,
    "divide": (lambda a, b: a / (b * b + 1.0),) * 2,
    "number / array": (lambda a, b: 1.0 / (a * a + 1.0) + b,) * 2,
    "power": (lambda a, b: (a * a + 1.0) ** -1.5 * b,) * 2,
    "exp": (lambda a, b: (a * 0.3).exp() - b,) * 2,
    "log": (lambda a, b: (a * a + 1.0).log() * b,) * 2,
    "tanh": (lambda a, b: (a + b).tanh(),) * 2,
    "relu": (lambda a, b: (a - b).relu(),) * 2,
    "gelu": (lambda a, b: a.gelu() + b, lambda a, b: F.gelu(a, approximate="tanh") + b),
    "take": (lambda a, b: a[..., None] * b[None], lambda a, b: a[..., None] * b[None]),
}


def both(data):
    return Tensor(data), torch.tensor(data, requires_grad=True)


def total(y, factors):
    """The sum of y * factors, for ours and theirs alike."""
    return sum(y[i] * float(factors[i]) for i in np.ndindex(tuple(y.shape)))


def assert_same(ours, theirs, weights):
    """Equal results, and equal gradients of their sums towards all pairs of weights."""
    assert_close(ours.data, theirs.detach().numpy())
    factors = np.random.default_rng(3).uniform(-1, 1, ours.shape)
    loss = total(ours, factors)
    loss.backward()
    (theirs * torch.tensor(factors)).sum().backward()
    for w, t in weights:
        assert (w.grad is None) == (t.grad is None)
        if w.grad is not None:
            assert_close(w.grad, t.grad.numpy())


@given(st.data())
def test_random_expressions(data):
    """Arrays that stretch to one shape, and five random operations on them and their results."""
    full = data.draw(st.lists(st.integers(1, 3), max_size=3))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    weights = []
    for _ in range(3):
        shape = [data.draw(st.sampled_from([1, size])) for size in full]
        shape = shape[data.draw(st.integers(0, len(full))) :]
        weights.append(both(rng.uniform(-1.5, 1.5, shape)))
    nodes = list(weights)
    for name in data.draw(st.lists(st.sampled_from(sorted(set(PAIRS) - {"take"})), min_size=5)):
        (a, s), (b, t) = (data.draw(st.sampled_from(nodes)) for _ in range(2))
        mine, other = PAIRS[name]
        y, u = mine(a, b), other(s, t)
        if np.abs(y.data).max() < 100:
            nodes.append((y, u))
    assert_same(*nodes[-1], weights)


@pytest.mark.parametrize("name", PAIRS)
def test_every_operation(name):
    rng = np.random.default_rng(1)
    a, s = both(rng.uniform(-1.5, 1.5, (2, 3)))
    b, t = both(rng.uniform(-1.5, 1.5, (3,)))
    ours, theirs = PAIRS[name]
    assert_same(ours(a, b), theirs(s, t), [(a, s), (b, t)])


def test_nodes_of_a_gpt():
    rng = np.random.default_rng(1)
    pairs = [both(rng.uniform(-1.5, 1.5, shape)) for shape in [(3, 5), (5,), (5,), (4, 5)]]
    (x, s), (weight, t), (bias, u), (table, v) = pairs
    assert_same(x @ table.T, s @ v.T, pairs)
    assert_same(softmax(x, 2.0), F.softmax(s / 2.0, dim=-1), pairs)
    assert_same(layernorm(x, weight, bias), F.layer_norm(s, (5,), t, u), pairs)
    assert_same(cross_entropy(x, [3, 0, 3]), F.cross_entropy(s, torch.tensor([3, 0, 3])), pairs)
    assert_same(cat([x, table, x]), torch.cat([s, v, s]), pairs)
    assert_same(cat([x, x], dim=1), torch.cat([s, s], dim=1), pairs)
    assert_same(table[[1, 3, 1]], v[[1, 3, 1]], pairs)


@pytest.mark.parametrize(
    "shapes",
    [((1, 1), (1, 1)), ((2, 3), (3, 4)), ((2, 3, 4), (2, 4, 1)), ((2, 1, 3, 4), (5, 4, 2))],
    ids=str,
)
def test_matmul(shapes):
    """Also of stacks of matrices, where one side is stretched."""
    rng = np.random.default_rng(1)
    (a, s), (b, t) = (both(rng.uniform(-1.5, 1.5, shape)) for shape in shapes)
    assert_same(a @ b, s @ t, [(a, s), (b, t)])


def test_where_with_stretched_sides():
    rng = np.random.default_rng(1)
    (a, s), (b, t) = both(rng.uniform(-1, 1, (2, 3))), both(rng.uniform(-1, 1, (3,)))
    mask = rng.uniform(-1, 1, (2, 3)) > 0
    assert_same(where(mask, a, b), torch.where(torch.tensor(mask), s, t), [(a, s), (b, t)])


@pytest.mark.parametrize("data", [[[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]], [[1.0, 2.0, 3.0]]], ids=str)
def test_max_shares_among_ties_as_amax_does(data):
    x, s = both(np.array(data))
    for dim in (0, 1, -1):
        assert_same(x.max(dim), s.amax(dim), [(x, s)])
        assert_same(x.max(dim, keepdim=True), s.amax(dim, keepdim=True), [(x, s)])
    assert_same(x.max(), s.amax(), [(x, s)])


def test_sums_and_transposes():
    rng = np.random.default_rng(1)
    x, s = both(rng.uniform(-1.5, 1.5, (2, 3, 4)))
    assert_same(x.reshape(4, 1, -1), s.reshape(4, 1, -1), [(x, s)])
    assert_same(x.transpose(0, 1).reshape(12, 2), s.transpose(0, 1).reshape(12, 2), [(x, s)])
    assert_same(x.mean(), s.mean(), [(x, s)])
    assert_same(x.mean(1), s.mean(1), [(x, s)])
    assert_same(x.transpose(0, 2), s.transpose(0, 2), [(x, s)])
    assert_same(x.transpose(-1, 1), s.transpose(-1, 1), [(x, s)])
    for dim in (0, 1, -1):
        assert_same(x.sum(dim), s.sum(dim), [(x, s)])
        assert_same(x.sum(dim, keepdim=True), s.sum(dim, keepdim=True), [(x, s)])
    assert_same(x.sum(), s.sum(), [(x, s)])
