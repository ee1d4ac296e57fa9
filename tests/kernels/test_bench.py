import json
import sys
from types import SimpleNamespace

import pytest

from kernels import bench, device
from tests.kernels.arrays import near

torch = pytest.importorskip("torch")
SIZES = SimpleNamespace(**bench.SMALL)
# Their first result is none that PyTorch's gives, or is drawn.
OTHERS = ("adamw", "dropout", "square sum", "cross-entropy", "attention")


def first(found):
    return first(found[0]) if isinstance(found, (tuple, list)) else found


@pytest.fixture(scope="module")
def cases():
    return list(bench.cases(SIZES))


def test_both_compute_the_same(cases):
    compared = [case for case in cases if not case.name.startswith(OTHERS)]
    assert len(compared) == len(cases) - 6
    for case in compared:
        ours, theirs = case.inputs()
        near(first(case.ours(*ours)), first(case.theirs(*theirs)).cpu().numpy())


@pytest.mark.parametrize(
    "name, numbers",
    [
        ("add", 3 * 64 * 32),
        ("scale", 2 * 64 * 32),
        ("column sums 32", 64 * 32 + 32),
        ("embedding forward", 2 * 64 * 32),
        ("square sum", 4096),
    ],
)
def test_bytes_are_those_of_what_is_read_and_written(cases, name, numbers):
    (case,) = [case for case in cases if case.name == name]
    assert bench.count_bytes(case, case.inputs()[0]) == 4 * numbers


def test_the_whole_table(monkeypatch, capsys, tmp_path, cases):
    monkeypatch.setattr(bench, "ROUNDS", 1)
    monkeypatch.setattr(bench, "SETS", 1)
    monkeypatch.setattr(bench, "GPT2", bench.SMALL)
    path = tmp_path / "table.json"
    options = ["--device", device.chosen, "--json", str(path)]
    monkeypatch.setattr(sys, "argv", ["bench", *options])
    bench.main()
    table = json.loads(path.read_text())
    assert [row["name"] for row in table["rows"]] == [case.name for case in cases]
    for row, shown in zip(table["rows"], capsys.readouterr().out.splitlines()[1:]):
        assert shown.startswith(row["name"]) and row["eager"] > 0 and row["microseconds"] > 0
        assert ("GB/s" in row) != ("TFLOP/s" in row)


def test_ratios_are_times_over_ours(monkeypatch):
    took = {"ours": 2.0, "eager": 3.0, "compiled": 1.0}
    monkeypatch.setattr(bench, "race", lambda contenders: {name: took[name] for name in contenders})
    case = bench.Case("x", lambda: ((), ()), None, None, moved=4e9)
    row = bench.measure(case, copy=8e9, product=1.0)
    expected = {"name": "x", "microseconds": 2e6, "GB/s": 2.0, "percent": 25.0}
    assert row == expected | {"eager": 1.5, "compiled": 0.5}
    row = bench.measure(case._replace(flops=6e12, compiled=False), copy=1.0, product=12e12)
    expected = {"name": "x", "microseconds": 2e6, "TFLOP/s": 3.0, "percent": 25.0}
    assert row == expected | {"eager": 1.5}


def test_nothing_is_timed_that_waits_for_a_launch(monkeypatch):
    """A GPU is played: a product keeps it busy for 20 ms, and the host takes 50 to launch."""
    now, free, products = 0, 0, []

    class Event:
        def __init__(self, enable_timing):
            pass

        def record(self):
            self.at = max(now, free)

        def query(self):
            return self.at <= now

        def synchronize(self):
            pass

        def elapsed_time(self, end):
            return end.at - self.at

    def product(a, b):
        nonlocal free
        free = max(now, free) + 20
        products.append(now)

    def call():
        nonlocal now, free
        now += 50
        free = max(now, free) + 3

    monkeypatch.setattr(device, "chosen", "cuda")
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch, "empty", lambda shape, device: None)
    monkeypatch.setattr(torch, "mm", product)
    assert bench.seconds([call]) == 0.003
    assert len(products) == 1 + 2 + 4
