"""Whatever goes wrong around a program, it says so in one line, and nothing is lost."""

import importlib
import os
import random
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from model import STEP
from model.gpt import GPT
from model.services.checkpoint import CHECKPOINT, load, read, write
from model.services.watch import LOG

ROOT = Path(__file__).parents[2]
NAMES = "anna bo carl dora emil finn greta hans ida jan kai lea"
PROGRAMS = [["train", "--names", "mine.txt", "--steps", "2"], ["sample", "--count", "2"]]
PROGRAMS += [["instruments.look", "anna"], ["services.picture"]]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    Path("mine.txt").write_text(NAMES)
    model = GPT(random.Random(7)).to(np.float32)
    weights = {f"weight.{name}": weight.data for name, weight in model.named_parameters()}
    write(
        CHECKPOINT,
        weights,
        {"step": STEP, "config": asdict(model.config), "tokenizer": ["letters"]},
    )
    LOG.write_text('{"floor": null}\n{"step": 1, "bits_per_byte": 4.7}\n')


def run(program, *flags, stdout=subprocess.PIPE, command="-m", **variables):
    return subprocess.run(
        [sys.executable, command, f"model.{program}" if command == "-m" else program, *flags],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | variables,
        text=True,
        timeout=60,
        check=False,
        # Programs in the background ignore Ctrl-C, and hand that on: here it is heard.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def told(done):
    """The lines on standard error, without the display that a slow training has there."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("step ")]
    return [line for line in lines if line.strip()]


def check_line(done, message):
    """Exit status 2, and one line on standard error, without codes that a terminal obeys."""
    assert done.returncode == 2, done.stderr
    assert len(told(done)) == 1 and message in told(done)[0], done.stderr
    assert told(done)[0].isprintable()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
@pytest.mark.parametrize("program", PROGRAMS)
def test_standard_output_is_full(program):
    with open("/dev/full", "w") as full:
        done = run(*program, stdout=full)
    name = program[0].split(".")[-1]
    check_line(done, f"{name}: got No space left on device at standard output; expected ")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_reader_that_went_away(program):
    read, write = os.pipe()
    os.close(read)
    done = run(*program, stdout=write)
    assert (done.returncode, told(done)) == (130, [])


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_terminal_that_knows_ascii_alone(program):
    done = run(*program, PYTHONIOENCODING="ascii")
    assert (done.returncode, told(done)) == (0, [])
    assert done.stdout and done.stdout.isascii()


def test_ctrl_c_while_a_program_imports():
    Path("argparse.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    done = run("train")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_ctrl_c_at_work():
    code = "import os, signal\nfrom model.services.progress import run_program\n"
    done = run(code + "run_program(lambda: os.kill(os.getpid(), signal.SIGINT))", command="-c")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize(
    "body, line",
    [
        ("[][1]", "-c: got IndexError: list index out of range; expected no error"),
        ("fail('a\\nb \\x1b[2J')", r"a\nb \x1b[2J"),
    ],
)
def test_what_nobody_foresaw(body, line):
    code = f"from model.services.progress import fail, run_program; run_program(lambda: {body})"
    check_line(run(code, command="-c"), line)


def test_traceback_for_those_who_want_it():
    done = run("train", "--names", "nowhere.txt", "--traceback")
    assert done.returncode == 2
    first, *_, last = done.stderr.splitlines()
    assert first.startswith("Traceback") and last.startswith("train: names: got nowhere.txt")


@pytest.mark.parametrize(
    "program, number, expected",
    [
        ("train", "--steps 0", "got --steps 0; expected 1 to 10,000,000"),
        ("train", "--steps 99999999999999999999", "expected 1 to 10,000,000"),
        ("train", "--batch-size 99999999999999999999", "expected 1 to 100,000"),
        ("train", "--watch-every 0", "got --watch-every 0; expected 1 to 10,000,000"),
        ("train", "--names=mine.txt --steps 1 --processes 65", "--processes 65; expected 1 to 64"),
        ("train", "--data=", "got an empty --data or --names; expected the name of a file"),
        ("train", "--names=", "got an empty --data or --names; expected the name of a file"),
        ("train", "--data names --merges 0", "got 0 merges for names; expected --merges with a "),
        ("instruments.profile", "--batch-size 99999999999999999999", "; expected 1 to 1,000"),
        ("sample", "--count -1", "got --count -1; expected 1 or more"),
        ("sample", "--length 0", "got --length 0; expected 1 or more"),
        ("sample", "--temperature 1e-320", "expected 0.001 to 1000"),
    ],
)
def test_a_number_out_of_range(program, number, expected, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [program, *number.split(" ")])
    with np.errstate(), pytest.raises(SystemExit) as ended:
        importlib.import_module(f"model.{program}").main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"{program.split('.')[-1]}: ") and expected in err


def put(array=None, **sizes):
    arrays, state = read(CHECKPOINT)
    arrays["weight.tok_emb"][0][0] = 0.0 if array is None else array
    write(CHECKPOINT, arrays, state | {"config": state["config"] | sizes})


def make_fifo():
    CHECKPOINT.unlink()
    os.mkfifo(CHECKPOINT)


def nest():
    text = "[" * 100_000 + "]" * 100_000
    save_file(load_file(CHECKPOINT), CHECKPOINT, {"state": text, "checksum": ""})


def flip(place):
    content = bytearray(CHECKPOINT.read_bytes())
    content[place] ^= 1
    CHECKPOINT.write_bytes(content)


def test_weights_that_nobody_may_read(monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ValueError, match="checkpoint: got Permission denied at runs/checkpoint"):
        load()


@pytest.mark.parametrize(
    "spoil, got",
    [
        (nest, "a damaged or foreign file"),
        (make_fifo, "a damaged or foreign file"),
        (lambda: flip(-1), "another checksum than was written"),
        (lambda: flip(CHECKPOINT.read_bytes().index(b'[\\"letters')), "a damaged or foreign file"),
        (lambda: flip(CHECKPOINT.read_bytes().index(b": 27") + 2), "another checksum than was "),
        (lambda: put(np.nan), "NaN or a number beyond 10,000 in weight.tok_emb"),
        (lambda: put(1e30), "NaN or a number beyond 10,000 in weight.tok_emb"),
        (lambda: put(V=10**9), "a damaged state"),
        (lambda: put(L=10**9, V=-(10**9)), "a damaged state"),
        (lambda: put(C="16"), "a damaged state"),
    ],
)
def test_weights_that_are_damaged(spoil, got):
    spoil()
    with pytest.raises(ValueError, match=f"checkpoint: got {got}.* at runs/checkpoint.safetensors"):
        load()


def test_more_processes_than_there_are_handles_for():
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))\n"
    code = (
        "from model.services.progress import run_program\n"
        "from model.train import main\nrun_program(main)"
    )
    done = run(limit + code, "--names", "mine.txt", "--processes", "20", command="-c")
    check_line(done, "train: Team: got Too many open files for 20 processes; expected fewer")
