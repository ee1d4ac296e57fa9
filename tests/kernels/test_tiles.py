"""Every choice of tiles gives the same products, and tune takes the fastest."""

import json

import numpy as np
import pytest

from kernels import compiled, device, launch, matmul, tiles, tune
from kernels.device import DeviceArray
from kernels.language import launches
from kernels.roofline import sizes
from model.gpt import CONFIGS
from tests.kernels.arrays import double, near, random

# Ragged for every choice, and more than one tile of the largest along each axis.
N, C, K = 150, 141, 133
CHOICES = [("ieee", choice) for choice in tiles.CHOICES["ieee"]]
CHOICES += [("tf32x3", choice) for choice in tiles.CHOICES["tf32x3"] + tiles.HOPPER]


@pytest.fixture
def arrays():
    return random(N, C), random(K, C), random(K), random(N, K)


@pytest.mark.parametrize("precision, choice", CHOICES)
def test_every_choice_gives_the_products(precision, choice, arrays, monkeypatch):
    if device.chosen == "interpret" and choice != CHOICES[0][1]:
        pytest.skip("takes seconds; the simulator and a GPU try all")
    monkeypatch.setattr(launch, "precision", lambda: precision)
    named = tiles.named(choice)
    X, W, BIAS, DY = map(double, arrays)
    x, weight, bias, dy = arrays
    near(matmul.linear_y(x, weight, bias, named), X @ W.T + BIAS)
    near(matmul.linear_dx(dy, weight, named), DY @ W)
    near(matmul.linear_dweight(dy, x, named), DY.T @ X)


@pytest.mark.parametrize("precision", tiles.CHOICES)
def test_b_lies_as_the_units_want_it(precision, arrays, monkeypatch):
    monkeypatch.setattr(launch, "precision", lambda: precision)
    strides, start = [], matmul.matmul_kernel.launch

    def watched(grid, **arguments):
        strides.append((arguments["b_row_stride"], arguments["b_col_stride"]))
        start(grid, **arguments)

    monkeypatch.setattr(matmul.matmul_kernel, "launch", watched)
    x, weight, bias, dy = arrays
    matmul.linear_forward(x, weight, bias)
    matmul.linear_backward(dy, x, weight)
    # b is weight.T (C, K), weight (K, C) and x (N, C).
    want = [(K, 1), (C, 1), (C, 1)] if precision == "ieee" else [(1, C), (1, K), (1, N)]
    assert strides == want


@pytest.mark.parametrize("N, C", [(1, 1), (5, 7), (65, 130), (70, 64)])
def test_turned(N, C):
    x = random(N, C)
    y = matmul.turned(x, N, C)
    assert y.shape == (C, N) and (y.numpy() == x.numpy().T).all()


@pytest.mark.skipif(device.chosen != "simulate", reason="takes 19 GB on a GPU")
@pytest.mark.parametrize("N, C", [(9, 2**28), (2**28, 9)])
def test_turned_beyond_32_bits(N, C):
    # Never written to, so that the system gives no memory for most of it.
    x, y = (DeviceArray(np.zeros(shape, np.float32)) for shape in ((N, C), (C, N)))
    numbers = np.arange(81, dtype=np.float32).reshape(9, 9)
    x.memory[:9, :9] = numbers
    matmul.turn_kernel[(1, 1)](x_ptr=x, y_ptr=y, N=N, C=C, BLOCK_N=16, BLOCK_C=16)
    assert (y.memory[:9, :9] == numbers.T).all()


@pytest.mark.parametrize("capability", [(0, 0), (7, 5), (8, 0), (9, 0), (10, 0)])
def test_choices_of_a_gpu(capability, monkeypatch):
    monkeypatch.setattr(launch, "capability", lambda: capability)
    choices = tiles.choices()
    assert set(choices) >= set(tiles.CHOICES["tf32x3" if capability >= (8, 0) else "ieee"])
    assert (tiles.HOPPER[0] in choices) == (capability == (9, 0))
    assert tiles.chosen("dx") == tiles.named(choices[0])


@pytest.mark.skipif(device.chosen == "interpret", reason="about a list, not about a kernel")
def test_every_choice_is_compiled():
    launches.clear()
    compiled.choices(sizes(CONFIGS["names"], B=2))["linear, each choice"]()
    assert launches["matmul_kernel"] == 3 * len(tiles.choices())


@pytest.fixture
def tuned(tmp_path, monkeypatch):
    """Writes what tune would, for a GPU that is played."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(launch, "gpu", lambda: "Some GPU")
    monkeypatch.setattr(launch, "capability", lambda: (7, 5))
    tiles.kept.cache_clear()
    (tmp_path / "runs").mkdir()
    yield lambda kept: (tmp_path / "runs/tiles-some-gpu.json").write_text(json.dumps(kept))
    tiles.kept.cache_clear()


def test_what_tune_has_kept_is_chosen(tuned):
    tuned({"dx": tiles.CHOICES["ieee"][2]})
    assert tiles.chosen("dx") == tiles.named(tiles.CHOICES["ieee"][2])
    assert tiles.chosen("y") == tiles.named(tiles.CHOICES["ieee"][0])


def test_other_tiles_in_the_file(tuned):
    tuned({"dx": [256, 32, 64, 4, 3]})
    with pytest.raises(
        ValueError, match=r"tiles-some-gpu.json: got \(256, 32, 64, 4, 3\); expected"
    ):
        tiles.chosen("dx")


quick = pytest.mark.skipif(device.chosen == "interpret", reason="about tune, not about a kernel")


def taken(work):
    """The tiles that a piece of work has been given."""
    return work.args[-1]["BLOCK_N"]


@quick
def test_tune_takes_what_is_fastest_for_all_shapes(monkeypatch):
    asked = []

    def seconds(work):
        """Tiles of 32 rows are fast for the first shape, those of 128 for the other."""
        asked.append(taken(work))
        first = work().shape[-1] == 20
        return {32: 1.0 if first else 9.0, 128: 9.0 if first else 1.0}.get(taken(work), 5.0)

    monkeypatch.setattr(tiles, "choices", lambda: tiles.CHOICES["ieee"][:3])
    best = tune.tune({(20, 20): 1, (36, 36): 3}, 10, seconds)
    assert best == dict.fromkeys(("y", "dx", "dweight"), tiles.CHOICES["ieee"][2])
    assert sorted(asked) == [32] * 6 + [64] * 6 + [128] * 6
    best = tune.tune({(20, 20): 4, (36, 36): 1}, 10, seconds)
    assert best == dict.fromkeys(("y", "dx", "dweight"), tiles.CHOICES["ieee"][1])


@quick
def test_tune_leaves_out_what_computes_something_else(monkeypatch):
    right = matmul.linear_dx

    def wrong(dy, weight, named):
        dx = right(dy, weight, named)
        if named["BLOCK_N"] == 128:
            dx[...] = dx.numpy() * np.float32(1.01)
        return dx

    monkeypatch.setattr(matmul, "linear_dx", wrong)
    monkeypatch.setattr(tiles, "choices", lambda: tiles.CHOICES["ieee"][:3])
    best = tune.tune({(20, 20): 1}, 10, lambda work: 1.0 / taken(work))
    assert best["y"] == tiles.CHOICES["ieee"][2]
    assert best["dx"] == tiles.CHOICES["ieee"][0]


def test_tune_without_a_gpu(monkeypatch):
    def use(name):
        raise ValueError("device: got no GPU; expected one")

    monkeypatch.setattr(device, "use", use)
    with pytest.raises(SystemExit, match=r"device: got no GPU; expected one\. The tiles stay"):
        tune.main()


@quick
def test_tune_keeps_what_it_found(tuned, monkeypatch, capsys):
    monkeypatch.setattr(device, "use", lambda name: None)
    monkeypatch.setattr(tune, "SHAPES", {(20, 20): 1})
    monkeypatch.setattr(tune, "ROWS", 10)
    monkeypatch.setattr(tune, "fastest", taken)
    tune.main()
    assert tiles.chosen("dweight") == tiles.named(tiles.CHOICES["ieee"][1])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["y", "32000.000", "ms"] and lines[-1].endswith("some-gpu.json")
