"""What step-91 says was measured on a GPU is what stands in book/gpu."""

import json
import re

from common import ROOT

FILE = ROOT / "book/gpu/nvidia-h100-80gb-hbm3.json"


def section():
    text = (ROOT / "STEPS.md").read_text()
    return text.split('<a id="step-91"></a>')[1].split('<a id="')[0]


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_tables_are_those_of_the_bench():
    rows = [
        cells(line)
        for line in section().splitlines()
        if re.match(r"\| [a-z].* \| [\d,.]+ \|", line)
    ]
    rows = [row for row in rows if len(row) > 3]
    measured = json.loads(FILE.read_text())["bench"]["rows"]
    expected = []
    for row in measured:
        speed = f"{row['GB/s']:,.0f}" if "GB/s" in row else f"{row['TFLOP/s']:.1f}"
        shown = [f"{row['microseconds']:,.1f}", speed, f"{row['percent']:.0f} %"]
        shown.append(f"{row['eager']:.2f}")
        if "GB/s" in row:
            shown.append(f"{row['compiled']:.2f}" if "compiled" in row else "")
        expected.append(shown)
    assert [row[1:] for row in rows] == expected
    assert all(row[0].split(",")[0] in each["name"] for row, each in zip(rows, measured))


def test_the_steps_of_the_race():
    train = json.loads(FILE.read_text())["train"]
    for name in ("ours", "PyTorch"):
        assert f"{train[name]['ms']:.0f}" in section()
    assert f"{train['ours']['losses'][0]:.6f}" in section()
    assert f"{train['largest difference'] * 1e6:.1f} · 10⁻⁶" in section()
