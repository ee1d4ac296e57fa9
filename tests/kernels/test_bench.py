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


class PlayedGPU:
    """Its products take 20 ms, and all else 3. now: the host's clock; free: when all is done."""

    def __init__(self, monkeypatch):
        self.now, self.free, self.products = 0, 0, 0
        played = self

        class Event:
            def __init__(self, enable_timing):
                pass

            def record(self):
                self.at = max(played.now, played.free)

            def query(self):
                return self.at <= played.now

            def synchronize(self):
                pass

            def elapsed_time(self, end):
                return end.at - self.at

        monkeypatch.setattr(device, "chosen", "cuda")
        monkeypatch.setattr(torch.cuda, "Event", Event)
        monkeypatch.setattr(torch, "empty", lambda shape, device: None)
        monkeypatch.setattr(torch, "mm", self.product)

    def work(self, milliseconds):
        self.free = max(self.now, self.free) + milliseconds

    def product(self, a, b):
        self.products += 1
        self.work(20)


def test_what_is_timed_waits_for_no_launch(monkeypatch):
    played = PlayedGPU(monkeypatch)

    def slow():
        played.now += 50  # of the host, to launch
        played.work(3)

    assert bench.seconds([slow]) == 0.003
    assert played.products == 1 + 2 + 4


def test_a_call_that_waits_for_the_gpu_is_timed_all_the_same(monkeypatch):
    played = PlayedGPU(monkeypatch)

    def waiting():
        played.work(3)
        played.now = played.free

    assert bench.seconds([waiting]) == 0.003
    assert played.products == 1 + 2 + 4 + 8 + 16
