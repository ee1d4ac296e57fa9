import importlib.util
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from model import train
from model.run import begin
from model.services.checkpoint import CHECKPOINT, read
from model.services.watch import read_log
from tests.compare import assert_close

ROOT = Path(__file__).parents[2]
TRAIN = [sys.executable, "-u", "-m", "model.train", "--device", "cpu"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Programs run in a folder of their own, away from what a reader has trained."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def run(*arguments):
    command = [*TRAIN, "--data", "names", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_own_list_of_names(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("anna\nbo\ncarl\ndora\nemil\nfinn\ngreta\nhans\nida\njan\nkai\nlea\n")
    done = run("--names", str(path), "--steps", "100")
    assert done.returncode == 0
    report, cost, device, yardsticks, names = done.stdout.splitlines()
    assert cost.startswith("a step: ") and " GFLOP · " in cost
    assert report.startswith("step-") and " · held-out " in report
    assert device == "device cpu"
    assert yardsticks.startswith("uniform 4.755 · ")
    assert len(names.split(" ")) == 10


def test_mistake_gets_one_line_and_exit_status_2(tmp_path):
    done = run("--names", str(tmp_path / "nowhere.txt"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("train: names: got ") and done.stderr.count("\n") == 1


def test_ctrl_c_still_prints_the_report():
    command = [*TRAIN, "--data", "names"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr.read(4)
    process.send_signal(signal.SIGINT)
    report, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert report.startswith("step-") and len(report.splitlines()) == 5


def test_overflow_ends_with_one_line():
    done = run("--learning-rate", "100000")
    assert done.returncode == 2
    assert "expected" in done.stderr and "Traceback" not in done.stderr


def test_a_last_step_that_spoils_the_weights():
    done = run("--learning-rate", "1e30", "--steps", "1")
    assert (done.returncode, done.stdout) == (2, "")
    last = done.stderr.splitlines()[-1]
    assert last == "train: got a held-out loss of nan; expected a lower --learning-rate"


def test_learning_rate_must_be_a_number_above_0():
    for wrong in ("nan", "inf", "0", "-1"):
        done = run("--learning-rate", wrong)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert f"got --learning-rate {float(wrong)}; expected 1e-09 or more" in done.stderr


def test_batches_hold_at_least_one_name():
    for flags in (["--batch-size", "0"], ["--steps", "0"], ["--processes", "0"]):
        done = run(*flags)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert f"train: got {' '.join(flags)}; expected 1 to " in done.stderr


def test_merges_are_not_fewer_than_none():
    done = run("--data", "stories", "--merges", "-3")
    assert (done.returncode, done.stderr) == (2, "train: got --merges -3; expected 0 or more\n")


def test_names_are_learnt_letter_by_letter():
    done = run("--merges", "5")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "train: got 5 merges for names; expected --merges with a text only\n"


def test_a_list_of_names_means_names_and_nothing_else(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("anna\nbo\ncarl\ndora\nemil\nfinn\ngreta\nhans\nida\njan\nkai\nlea\n")
    command = [*TRAIN, "--names", str(path), "--steps", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "uniform 4.755" in done.stdout
    done = subprocess.run(
        [*command, "--data", "stories"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "train: got --names with --data stories; expected --data names" in done.stderr


def test_two_processes_report_what_one_does():
    """Losses and names, all but the time."""
    one, two = (run("--steps", "50", "--processes", number).stdout for number in "12")
    assert one.split(" · ")[1:4] == two.split(" · ")[1:4]
    assert one.splitlines()[1:] == two.splitlines()[1:]


def test_a_device_has_one_process():
    done = run("--device", "interpret", "--processes", "2")
    expected = "train: got 2 processes; expected 1 with --device interpret\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", expected)


@pytest.mark.skipif(importlib.util.find_spec("triton") is not None, reason="triton is here")
def test_a_device_without_its_packages():
    done = run("--device", "interpret", "--steps", "1")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"train: device: got no package (torch|triton); .*\n", done.stderr)


@pytest.mark.parametrize("device", ["simulate", "interpret"])
def test_a_run_on_a_device_reports_what_a_run_here_does(device):
    if device == "interpret" and importlib.util.find_spec("triton") is None:
        pytest.skip("triton is not here")
    outputs = []
    for where in ("cpu", device):
        done = run("--device", where, "--steps", "3")
        assert done.returncode == 0
        report, _, line, *others = done.stdout.splitlines()
        outputs.append([*re.findall(r"loss (\S+) · held-out (\S+)", report), *others])
    assert outputs[0] == outputs[1]
    counts = r"[1-9][0-9]* launches · [0-9]+ fallbacks a step"
    assert re.fullmatch(f"device {device} · {counts}", line)


def test_a_run_goes_on_on_another_device():
    assert run("--device", "simulate", "--steps", "4", "--save-every", "2").returncode == 0
    whole, state = read_log(), read(CHECKPOINT)[1]
    half = begin(state["settings"] | {"device": "cpu"})
    for _ in range(2):
        half.step()
    half.save()
    command = [sys.executable, "-m", "model.train", "--resume", "--device", "simulate"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0 and b"device simulate" in done.stdout
    # Not the weights: where a slope is 0 but for rounding, Adam steps by its sign all the same.
    losses, expected = ([line["loss"] for line in log[1:]] for log in (read_log(), whole))
    assert len(losses) == 4
    assert_close(losses, expected, "float32")


def test_without_a_gpu_the_default_is_to_simulate_names(monkeypatch):
    monkeypatch.setenv("PATH", "")
    command = [sys.executable, "-m", "model.train", "--steps", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "\ndevice simulate · " in done.stdout
    assert "uniform 4.755" in done.stdout


def test_percents_of_a_gpus_two_speeds_by_hand(monkeypatch):
    gpu = SimpleNamespace(bandwidth=1e9, flops=1e12, tf32=6e12)
    monkeypatch.setattr(train, "here", lambda: gpu)
    run = SimpleNamespace(settings={"device": "cuda"})
    progress = SimpleNamespace(steps=4, seconds=2.0)
    # In half a second 500 MB could move. A product of float32 takes three of tf32: 1 TFLOP.
    percents = train.percents(run, progress, flops=300e9, moved=100e6)
    assert percents == " · 20 % of the memory's speed · 30 % of the arithmetic's"
    gpu.tf32 = 0.0  # without tensor cores half a TFLOP
    assert train.percents(run, progress, 300e9, 100e6).endswith(" · 60 % of the arithmetic's")
    progress.steps = 0
    assert train.percents(run, progress, 300e9, 100e6) == ""


def test_a_full_gpu_does_not_end_the_report(monkeypatch):
    said = "CUDA out of memory"

    def full():
        raise RuntimeError(said)

    monkeypatch.setattr(train, "here", full)
    run = SimpleNamespace(settings={"device": "cuda"})
    progress = SimpleNamespace(steps=4, seconds=2.0)
    told = train.percents(run, progress, flops=300e9, moved=100e6)
    assert told == " · too little memory left to measure the GPU's speeds"
    said = "CUDA error: an illegal address"
    with pytest.raises(RuntimeError, match="illegal address"):
        train.percents(run, progress, flops=300e9, moved=100e6)


# A GPU of 1 MB/s and, of products, 2 MFLOP/s.
PLAYED = """
from types import SimpleNamespace
from engine.backend import DEVICES
from model import train
DEVICES["cuda"] = DEVICES["simulate"]
train.here = lambda: print("measured") or SimpleNamespace(bandwidth=1e6, flops=1e6, tf32=6e6)
train.main()
"""


def test_only_the_report_of_a_gpu_has_percents():
    command = [sys.executable, "-c", PLAYED, "--data", "names", "--steps", "3", "--device"]
    outputs = (
        subprocess.run([*command, device], capture_output=True, text=True, check=True).stdout
        for device in ("simulate", "cuda")
    )
    simulated, played = (output.splitlines() for output in outputs)
    assert simulated[2].endswith(" fallbacks a step") and len(simulated) == 5
    assert played.pop(2) == "measured" and len(played) == 5
    ms = float(re.search(r"(\S+) ms/step", played[0])[1])
    gflop, mb = (float(number) for number in re.findall(r"(\S+) (?:GFLOP|MB)", played[1]))
    assert played[2].startswith("device cuda · ")
    percents = [float(number) for number in re.findall(r" · (\d+) % of the ", played[2])]
    # GFLOP has only a digit or two.
    assert percents == pytest.approx([1e5 * mb / ms, 5e7 * gflop / ms], rel=0.1)
