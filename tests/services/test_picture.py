import re
import subprocess
import sys
from pathlib import Path

import pytest

from model.services.picture import draw, draw_or_fail, running_mean
from model.services.watch import LOG, open_log, write_line

ROOT = Path(__file__).parents[2]
STEPS = [{"step": t, "bits_per_byte": 8.0 / t} for t in range(1, 31)]
STEPS[9]["held_out"], STEPS[19]["held_out"] = 2.0, 1.0


def numbers(text):
    return [float(x) for x in re.findall(r"-?\d+\.?\d*", text)]


def test_running_mean_by_hand():
    assert running_mean([1.0, 2.0, 0.0]) == pytest.approx([1.0, 1.02, 0.9996])
    assert running_mean([]) == []


def test_the_floor_lies_where_its_number_says(tmp_path):
    """Half of the held-out 2.0, and where 1.0 is: one and the same height."""
    path = tmp_path / "loss.svg"
    draw([{"floor": 1.0}, *STEPS], path)
    picture = path.read_text()
    assert "<svg" in picture and picture.rstrip().endswith("</svg>")
    dots = re.findall(
        r'<use xlink:href="#\w+" x="[\d.]+" y="([\d.]+)" style="fill: #e15759', picture
    )
    dashed = re.search(
        r'<path d="M ([\d. L\n]+)"[^>]*stroke-dasharray[^>]*stroke: #333333', picture
    )
    assert len(dots) >= 2 and dashed
    assert numbers(dashed[1])[1] == pytest.approx(float(dots[1]), abs=0.01)


def test_without_a_floor_or_anything_held_out(tmp_path):
    path = tmp_path / "loss.svg"
    draw([{"floor": None}, *STEPS[:2]], path)
    assert "stroke: #333333" not in path.read_text()


def test_the_same_log_gives_the_same_picture(tmp_path):
    one, other = tmp_path / "one.svg", tmp_path / "other.svg"
    for path in (one, other):
        draw([{"floor": 0.5}, *STEPS], path)
    assert one.read_text() == other.read_text()


@pytest.mark.parametrize(
    "lines", [[{"step": 1}, {"step": 2}], [{"floor": 1.0}, {"step": 1}], [{"floor": 1.0}, [1]]]
)
def test_a_log_that_is_none(tmp_path, monkeypatch, capsys, lines):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        draw_or_fail("picture", lines)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith(("picture: got KeyError(", "picture: got TypeError("))


def test_a_picture_that_cannot_be_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        draw_or_fail("train", [{"floor": 1.0}, *STEPS])
    error = capsys.readouterr().err
    assert error.startswith("train: got FileNotFoundError(") and error.count("\n") == 1


def test_from_a_log_on_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "-m", "model.services.picture"]
    env = {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"picture: got 0 lines in {LOG}; expected those that make train leaves\n"
    with open_log({"floor": 0.2}, 0) as log:
        for step in STEPS:
            write_line(log, step)
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "runs/loss.svg\n")
    assert "<svg" in (tmp_path / "runs/loss.svg").read_text()
