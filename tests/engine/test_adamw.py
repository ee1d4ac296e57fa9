import math
import random

import numpy as np
import pytest

from engine import cpu
from engine.autograd import Tensor
from engine.cost import watched
from engine.optim import AdamW, clip_grad_norm, decay_groups, warm_up_cool_down
from model.gpt import GPT
from tests.compare import assert_close

SHAPES = [(3, 4), (5,), ()]


def weights_and_gradients(steps):
    rng = np.random.default_rng(1)
    weights = [rng.uniform(-1, 1, shape) for shape in SHAPES]
    return weights, [[rng.uniform(-3, 3, shape) for shape in SHAPES] for _ in range(steps)]


def test_as_torch_with_groups_clipping_and_a_changing_learning_rate():
    torch = pytest.importorskip("torch")
    weights, gradients = weights_and_gradients(20)
    ours = [Tensor(w.copy()) for w in weights]
    theirs = [torch.tensor(w, requires_grad=True) for w in weights]
    groups = [
        [{"params": params[:1], "weight_decay": 0.3}, {"params": params[1:], "weight_decay": 0.0}]
        for params in (ours, theirs)
    ]
    one = AdamW(groups[0], lr=0.1)
    other = torch.optim.AdamW(groups[1], lr=0.1, betas=one.betas, eps=one.eps)
    for done, grads in enumerate(gradients):
        for w, x, grad in zip(ours, theirs, grads):
            w.grad, x.grad = grad.copy(), torch.tensor(grad)
        max_norm = 2.0 if done % 2 else 1000.0
        norm = clip_grad_norm(ours, max_norm)
        # torch adds 1e-6 to the norm that it divides by
        assert_close(
            norm, torch.nn.utils.clip_grad_norm_(theirs, max_norm + 1e-6 * max_norm / norm).item()
        )
        one.lr = other.param_groups[0]["lr"] = other.param_groups[1]["lr"] = 0.1 / (done + 1)
        one.step()
        other.step()
    assert_close([w.data for w in ours], [x.detach().numpy() for x in theirs])


def test_a_weight_with_a_gradient_of_0_shrinks_by_its_decay_alone():
    w, b = Tensor([[2.0]]), Tensor([2.0])
    groups = [{"params": [w], "weight_decay": 0.5}, {"params": [b], "weight_decay": 0.0}]
    optimizer = AdamW(groups, lr=0.1)
    optimizer.step()
    assert w.data.item() == 2.0, "without any gradient it stays, as in PyTorch"
    w.grad, b.grad = np.zeros((1, 1)), np.zeros(1)
    optimizer.step()
    assert w.data.item() == pytest.approx(2.0 * 0.95) and b.data.item() == 2.0


def test_decay_does_not_depend_on_the_gradient():
    """In Adam with a penalty on large weights, large gradients would wash the decay out."""
    ends = []
    for decay in (0.0, 0.5):
        w = Tensor([[2.0]])
        optimizer = AdamW([{"params": [w], "weight_decay": decay}], lr=0.1)
        w.grad = np.array([[1000.0]])
        optimizer.step()
        ends.append(w.data.item())
    assert ends[0] - ends[1] == pytest.approx(0.1 * 0.5 * 2.0)


def test_matrices_decay_and_vectors_do_not():
    model = GPT(random.Random(1))
    decayed, others = decay_groups(model, 0.1)
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.1, 0.0)
    assert {len(param.shape) for param in decayed["params"]} == {2}
    assert {len(param.shape) for param in others["params"]} == {1}
    assert len(decayed["params"]) + len(others["params"]) == len(model.parameters())
    assert any(param is model.tok_emb for param in decayed["params"])
    assert any(param is model.ln_f.weight for param in others["params"])


def test_the_arithmetic_of_clipping_stands_in_cpu():
    params, calls = [Tensor([1.0, 2.0]), Tensor(3.0)], []

    def watch(name, function, *arguments):
        calls.append(name)
        return function(*arguments)

    for param in params:
        param.grad = np.full(param.shape, 5.0)
    with watched(cpu, watch):
        clip_grad_norm(params, 1000.0)
        clip_grad_norm(params, 1.0)
    assert calls == 4 * ["square_sum"] + 2 * ["scale"]


def test_clipping_by_hand():
    """Gradients 3 and (0, 4): norm 5. Down to norm 1 they are 0.6 and (0, 0.8)."""
    a, b, c = Tensor(1.0), Tensor([1.0, 1.0]), Tensor([[1.0]])
    a.grad, b.grad = np.array(3.0), np.array([0.0, 4.0])
    assert clip_grad_norm([a, b, c], 6.0) == 5.0 and a.grad == 3.0
    assert clip_grad_norm([a, b, c], 1.0) == 5.0
    assert_close([a.grad, b.grad], [0.6, np.array([0.0, 0.8])])
    assert clip_grad_norm([a, b, c], 1.0) == pytest.approx(1.0)
    assert c.grad is None


def test_half_a_wave_on_the_way_down():
    """cos goes from 1 to -1: a quarter of the way down, 1/2 + cos(pi/4) / 2 are left."""
    assert warm_up_cool_down(100, 1000) == pytest.approx(1.0)
    assert warm_up_cool_down(325, 1000) == pytest.approx(0.5 + math.sqrt(0.5) / 2)
    assert warm_up_cool_down(775, 1000) == pytest.approx(0.5 - math.sqrt(0.5) / 2)
    assert warm_up_cool_down(0, 1) > 0
