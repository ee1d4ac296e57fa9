import random

import numpy as np
import pytest

from engine.autograd import Tensor
from engine.flat import ALIGN, Flat, FlatAdamW
from engine.optim import AdamW, clip_grad_norm, decay_groups
from model.gpt import GPT
from model.options import NAMES_RUN
from model.run import Run, begin
from tests.compare import assert_close

SHAPES = [(3, 4), (2, 9), (5,), ()]
SETTINGS = NAMES_RUN | {"data": "names", "names": None, "steps": 9, "batch_size": 8}


def some_groups(rng):
    weights = [Tensor(rng.uniform(-1, 1, shape)) for shape in SHAPES]
    matrices, vectors = weights[:2], weights[2:]
    return [
        {"params": matrices, "weight_decay": 0.3},
        {"params": vectors, "weight_decay": 0.0},
    ]


def padding(flat, array):
    """What no weight has as its own."""
    free = np.ones(array.size, dtype=bool)
    for view in flat.views(free):
        view[...] = False
    return array[free]


def check_views(run):
    """Each weight is a place in the one array, and what is between them is 0."""
    flat = run.worker.flat
    flat.zero_grad()  # raises where a weight has left its place
    for data, grad, param in zip(flat.views(flat.data), flat.views(flat.grad), flat.params):
        for view, own in (data, param.data), (grad, param.grad):
            assert view.__array_interface__["data"] == own.__array_interface__["data"]
            assert view.shape == own.shape
    arrays = flat.data, flat.grad, run.optimizer.m, run.optimizer.v
    assert not any(padding(flat, array).any() for array in arrays)


def test_where_each_weight_begins():
    """12 numbers take 16 places, 18 take 32, and 5 and 1 take 16."""
    flat = Flat(some_groups(np.random.default_rng(1)))
    assert flat.starts == [0, 16, 48, 64] and flat.data.size == flat.grad.size == 80
    assert flat.stretches == [(0, 48, 0.3), (48, 80, 0.0)]
    assert [view.shape for view in flat.views(flat.data)] == SHAPES
    assert {start % ALIGN for start in flat.starts} == {0}


def test_weights_keep_their_numbers():
    rng = np.random.default_rng(1)
    groups = some_groups(rng)
    before = [param.data for group in groups for param in group["params"]]
    flat = Flat(groups)
    assert all(np.array_equal(param.data, x) for param, x in zip(flat.params, before))
    flat.data[16] = 7.0
    assert flat.params[1].data[0, 0] == 7.0


@pytest.mark.parametrize("processes", [1, 2])
def test_views_stay_views_through_steps_a_checkpoint_and_what_follows(
    processes, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    run, other = (begin(SETTINGS | {"processes": processes}) for _ in range(2))
    for _ in range(3):
        run.step()
    check_views(run)
    arrays = {name: array.copy() for name, array in run.arrays().items()}
    other.restore(arrays, run.state())
    check_views(other)
    assert run.step() == other.step()
    check_views(other)
    names = [name for name, _ in run.model.named_parameters()]
    assert arrays.keys() == {f"{kind}.{name}" for kind in ("weight", "m", "v") for name in names}


def test_one_long_weight_is_clipped_and_stepped_as_many_are():
    """Also where a stretch is cut into blocks; and padding stays 0, though AdamW goes over it."""
    rng = np.random.default_rng(2)
    long, many = (some_groups(np.random.default_rng(1)) for _ in range(2))
    flat, plain = FlatAdamW(Flat(long), lr=0.1), AdamW(many, lr=0.1)
    for done in range(20):
        flat.flat.zero_grad()
        for one, other in zip(flat.flat.params, plain.params):
            other.grad = rng.uniform(-3, 3, other.shape)
            one.grad += other.grad
        max_norm = 2.0 if done % 2 else 1000.0
        norms = [clip_grad_norm(x, max_norm) for x in ([flat.flat], plain.params)]
        assert norms[0] == pytest.approx(norms[1], rel=1e-14)
        flat.lr = plain.lr = 0.1 / (done + 1)
        flat.step()
        plain.step()
    assert_close([w.data for w in flat.flat.params], [w.data for w in plain.params])
    for kind in "mv":
        assert_close(flat.flat.views(getattr(flat, kind)), getattr(plain, kind))
        assert not padding(flat.flat, getattr(flat, kind)).any()
    assert len(padding(flat.flat, flat.flat.data)) == 80 - 36
    assert not padding(flat.flat, flat.flat.data).any()


def test_blocks_cut_a_stretch_anywhere(monkeypatch):
    ends = []
    for block in (7, 65_536):
        monkeypatch.setattr("engine.flat.BLOCK", block)
        flat = Flat(some_groups(np.random.default_rng(1)))
        flat.grad[...] = np.random.default_rng(2).uniform(-1, 1, flat.grad.size)
        FlatAdamW(flat, lr=0.1).step()
        ends.append(flat.data)
    assert np.array_equal(*ends)


def test_as_torch():
    torch = pytest.importorskip("torch")
    rng, groups = np.random.default_rng(2), some_groups(np.random.default_rng(1))
    theirs = [
        group | {"params": [torch.tensor(w.data, requires_grad=True) for w in group["params"]]}
        for group in groups
    ]
    flat = Flat(groups)
    one = FlatAdamW(flat, lr=0.1)
    other = torch.optim.AdamW(theirs, lr=0.1, betas=one.betas, eps=one.eps)
    tensors = [w for group in theirs for w in group["params"]]
    for _ in range(9):
        flat.zero_grad()
        for w, x in zip(flat.params, tensors):
            w.grad += rng.uniform(-3, 3, w.shape)
            x.grad = torch.tensor(w.grad)
        norm = clip_grad_norm([flat], 2.0)
        # torch adds 1e-6 to the norm that it divides by
        torch.nn.utils.clip_grad_norm_(tensors, 2.0 + 1e-6 * 2.0 / norm)
        one.step()
        other.step()
    assert_close([w.data for w in flat.params], [x.detach().numpy() for x in tensors])


def test_a_weight_that_nobody_used_has_a_gradient_of_0():
    flat = Flat(some_groups(np.random.default_rng(1)))
    used, unused, *_ = flat.params
    used.sum().backward()
    assert np.all(used.grad == 1.0) and np.all(unused.grad == 0.0)
    assert np.all(flat.grad[:12] == 1.0) and np.all(flat.grad[12:] == 0.0)


@pytest.mark.parametrize("name", ["data", "grad"])
def test_another_array_in_place_of_a_view_is_noticed(name):
    flat = Flat(some_groups(np.random.default_rng(1)))
    setattr(flat.params[0], name, np.zeros((3, 4)))
    with pytest.raises(ValueError, match="Flat: got other arrays than at first; expected a new"):
        flat.zero_grad()


def test_one_dtype():
    groups = some_groups(np.random.default_rng(1))
    groups[0]["params"][0].data = np.zeros((3, 4), np.float32)
    expected = r"Flat: got weights of \['float32', 'float64'\]; expected one dtype"
    with pytest.raises(ValueError, match=expected):
        Flat(groups)


def test_a_run_trains_the_weights_of_its_model():
    model = GPT(random.Random(1)).to(np.float32)
    run = Run(model, begin(SETTINGS).data, SETTINGS)
    groups = decay_groups(model, 0.1)
    assert run.worker.flat.params == [w for group in groups for w in group["params"]]
    assert {w.dtype for w in model.parameters()} == {np.dtype(np.float32)}
    before = model.tok_emb.data.copy()
    run.step()
    assert not np.array_equal(before, model.tok_emb.data)
