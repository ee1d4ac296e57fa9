"""The plain functions, by themselves: what every kernel will be held to."""

import inspect
import re

import numpy as np
import pytest

from engine import cpu, noise
from engine.autograd import Tensor
from engine.nudge import nudge
from engine.optim import AdamW
from tests.compare import assert_close

RNG = np.random.default_rng(1)
LETTERS = np.array([[2, 0, 2], [3, 1, -1]])


def arrays(*shapes):
    return [RNG.uniform(-1.5, 1.5, shape) for shape in shapes]


def read_only(*arrays):
    for x in arrays:
        x.flags.writeable = False
    return arrays


# name: (forward, backward, inputs); forward returns y, and saved where backward needs it.
FUNCTIONS = {
    "gelu": (
        cpu.gelu_forward,
        lambda dy, x, t: (cpu.gelu_backward(dy, x, t),),
        arrays((3, 1)),
    ),
    "embedding": (
        lambda weight: (cpu.embedding_forward(weight, abs(LETTERS)),),
        lambda dy, weight: (cpu.embedding_backward(dy, abs(LETTERS), weight.shape),),
        arrays((4, 5)),
    ),
    "matmul": (
        lambda a, b: (cpu.matmul_forward(a, b),),
        cpu.matmul_backward,
        arrays((2, 3, 4), (2, 4, 1)),
    ),
    "linear": (
        lambda x, weight, bias: (cpu.linear_forward(x, weight, bias),),
        lambda dy, x, weight, bias: cpu.linear_backward(dy, x, weight),
        arrays((2, 3, 4), (5, 4), (5,)),
    ),
    "attention": (
        lambda qkv: cpu.attention_forward(qkv, H=2),
        lambda dy, qkv, saved: (cpu.attention_backward(dy, qkv, saved, H=2),),
        arrays((2, 3, 12)),
    ),
    "softmax": (
        lambda logits: (cpu.softmax_forward(logits, 2.0),) * 2,  # p is y
        lambda dy, logits, p: (cpu.softmax_backward(dy, p, 2.0),),
        arrays((2, 1, 7)),
    ),
    "cross_entropy": (
        lambda logits: cpu.cross_entropy_forward(logits, LETTERS, -1, 4),
        lambda dy, logits, saved: (cpu.cross_entropy_backward(dy, logits, LETTERS, saved, -1),),
        arrays((2, 3, 4)),
    ),
    "dropout": (
        lambda x: (cpu.dropout_forward(x, 0.4, seed=1, offset=2),),
        lambda dy, x: (cpu.dropout_backward(dy, 0.4, seed=1, offset=2),),
        arrays((4, 5)),
    ),
    "layernorm": (
        cpu.layernorm_forward,
        lambda dy, x, weight, bias, saved: cpu.layernorm_backward(dy, x, weight, saved),
        arrays((3, 5), (5,), (5,)),
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_backward_against_nudges_of_forward(name):
    forward, backward, inputs = FUNCTIONS[name]
    tensors = [Tensor(x) for x in inputs]

    def loss(_):
        y = np.asarray(forward(*inputs)[0])
        return Tensor((y * np.cos(np.arange(y.size)).reshape(y.shape)).sum())

    y, *saved = forward(*inputs)
    dy = np.cos(np.arange(np.size(y))).reshape(np.shape(y))
    gradients = backward(dy, *inputs, *saved)
    measured = nudge(loss, tensors, h=1e-5)
    assert_close(list(gradients), measured, "nudges")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_neither_way_writes_over_what_it_is_given(name):
    """numpy refuses to write into a read-only array, and so into a view of it."""
    forward, backward, inputs = FUNCTIONS[name]
    inputs = read_only(*[x.copy() for x in inputs])
    y, *saved = forward(*inputs)
    for arrays in saved:
        read_only(*(arrays if isinstance(arrays, tuple) else [arrays]))
    backward(*read_only(np.ones(np.shape(y))), *inputs, *saved)


def test_every_forward_has_its_backward_and_its_formula():
    functions = dict(inspect.getmembers(cpu, inspect.isfunction))
    names = {name.removesuffix("_forward") for name in functions if name.endswith("_forward")}
    assert names == set(FUNCTIONS)
    for name in names:
        assert f"{name}_backward" in functions
        assert functions[f"{name}_forward"].__doc__ and functions[f"{name}_backward"].__doc__


def test_cpu_knows_nothing_of_the_graph():
    """Of the project it imports the noise, which imports nothing but numpy."""
    imported = {cpu: ["math", "numpy", "engine"], noise: ["numpy"]}
    for module, names in imported.items():
        source = inspect.getsource(module)
        assert re.findall(r"^(?:import|from) (\S+)", source, re.MULTILINE) == names
        assert "Tensor" not in source


def test_adam_step_is_what_the_optimizer_does():
    w, grad = arrays((3, 2), (3, 2))
    param = Tensor(w.copy())
    optimizer = AdamW([{"params": [param], "weight_decay": 0.5}], lr=0.1)
    m, v = np.zeros((3, 2)), np.zeros((3, 2))
    for t in (1, 2, 3):
        param.grad = grad * t
        optimizer.step()
        cpu.adamw_step(w, grad * t, m, v, t, 0.1, (0.9, 0.99), 1e-8, 0.5)
        assert np.array_equal(param.data, w)
