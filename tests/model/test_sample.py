import random
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from engine.backend import DEVICES
from model import STEP
from model.data import Letters
from model.gpt import GPT, GPTConfig
from model.sample import main, sample_line, sample_text
from model.services.checkpoint import CHECKPOINT, load, read, write
from model.tokenizer import Tokenizer
from tests.engine.far import install

ROOT = Path(__file__).parents[2]


def run(folder, program, *arguments):
    command = [sys.executable, "-m", f"model.{program}", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def trained(tmp_path):
    """A folder with the checkpoint of a model, as make train leaves it."""
    write_model(tmp_path, GPT(random.Random(7)))
    return tmp_path


def write_model(folder, model, tokenizer=("letters",)):
    weights = {f"weight.{name}": w.data for name, w in model.to(np.float32).named_parameters()}
    write(
        folder / CHECKPOINT,
        weights,
        {"step": STEP, "config": asdict(model.config), "tokenizer": tokenizer},
    )


def test_weights_come_back_to_the_last_bit(trained):
    model = GPT(random.Random(7)).to(np.float32)
    other, tokenizer = load(trained / CHECKPOINT)
    assert tokenizer.state() == ["letters"] and not other.training
    pairs = zip(other.parameters(), model.parameters())
    assert all(np.array_equal(one.data, same.data) for one, same in pairs)


def test_names_begin_with_the_prompt_and_follow_the_seed(trained):
    flags = ["--prompt", "ma", "--temperature", "0.8", "--seed", "1", "--count", "3"]
    one, same = run(trained, "sample", *flags), run(trained, "sample", *flags)
    other = run(trained, "sample", *flags[:4], "--seed", "2", "--count", "3")
    assert one.returncode == 0 and one.stderr == ""
    assert len(one.stdout.splitlines()) == 3
    assert all(name.startswith("ma") for name in one.stdout.splitlines())
    assert one.stdout == same.stdout != other.stdout


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--prompt", "mä"], "sample: names: got 'ä' in 'mä'; expected the letters a-z"),
        (["--prompt", "a" * 16], "expected at most 15 letters"),
        (["--temperature", "0"], "sample: temperature: got 0.0; expected 0.001 to 1000"),
    ],
)
def test_mistake_gets_one_line(trained, flags, message):
    done = run(trained, "sample", *flags)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert message in done.stderr


@pytest.mark.parametrize("program", [["sample"], ["instruments.look", "anna"]])
def test_weights_that_are_missing_foreign_or_damaged(trained, program):
    path = trained / CHECKPOINT
    whole, (arrays, state) = path.read_bytes(), read(path)
    first, *others = arrays
    for changed, changes, message in [
        (arrays, {"step": "step-98"}, "checkpoint: got one of step-98 at "),
        (arrays, {"config": state["config"] | {"H": 0}}, "got a damaged state"),
        (arrays, {"tokenizer": ["pieces", [[97, 98], [300, 97]]]}, "got a damaged state"),
        (arrays, {"tokenizer": ["words"]}, "got a damaged state"),
        (arrays, {"config": state["config"] | {"C": 8}}, "; expected ((8,), 'float32')"),
        ({name: arrays[name] for name in others}, {}, f"got None for {first}; expected ((16,)"),
        (None, {}, "got a damaged or foreign file at "),
    ]:
        if changed is None:
            path.write_bytes(whole[:-1])
        else:
            write(path, changed, state | changes)
        done = run(trained, *program)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert message in done.stderr
    path.unlink()
    assert f"expected what make train leaves at {STEP}" in run(trained, *program).stderr


def test_weights_of_a_text(tmp_path):
    """The state says what sizes the model has and which pieces its numbers stand for."""
    merges = [(104, 97), (256, 116)]
    write_model(
        tmp_path, GPT(random.Random(7), GPTConfig(V=258, T=8, C=4, H=2, L=2)), ["pieces", merges]
    )
    assert load(tmp_path / CHECKPOINT)[1].merges == merges
    done = run(tmp_path, "sample", "--prompt", "hat", "--length", "20")
    assert done.returncode == 0 and done.stdout.startswith("hat")
    seen = run(tmp_path, "instruments.look", "hat ü").stdout.splitlines()
    assert seen[:2] == ["head 0", "  h _ � �"] and [line[0] for line in seen[2:6]] == list("h_��")


def test_a_text_goes_on_from_its_prompt_past_the_context():
    """Any prompt will do: what was never seen is made of bytes."""
    model = GPT(random.Random(7), GPTConfig(V=258, T=8, C=4, H=2))
    tokenizer = Tokenizer([(104, 97), (256, 116)])
    text = sample_text(model, random.Random(1), tokenizer, length=30, prompt="Hüt")
    assert text.startswith("Hüt") and len(text) > 20


def test_a_line_holds_ten_names_of_at_most_15_letters_or_one_text():
    names, text = (GPT(random.Random(7), GPTConfig(V=V, C=4, H=2)) for V in (27, 256))
    line = sample_line(names, random.Random(1), Letters(), length=120).split(" ")
    rng = random.Random(1)
    assert line == [sample_text(names, rng, Letters(), length=120) for _ in range(10)]
    assert max(map(len, line)) == 15
    assert all(len(sample_text(names, rng, Letters(), 1, prompt="ma")) <= 3 for _ in range(9))
    one = sample_text(text, random.Random(1), Tokenizer(), length=120)
    assert sample_line(text, random.Random(1), Tokenizer(), length=120) == one.strip()


def test_a_drawing_from_saved_weights(trained):
    done = run(trained, "instruments.look", "anna")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "head 0")


def test_a_model_writes_on_the_device_that_is_named(trained, monkeypatch, capsys):
    far, texts = install(monkeypatch), []
    monkeypatch.chdir(trained)
    for flags in ([], ["--device", "far"]):
        assert far.calls == []
        monkeypatch.setattr(sys, "argv", ["sample", *flags])
        main()
        texts.append(capsys.readouterr().out)
    assert "attention_forward" in far.calls and texts[0] == texts[1]


@pytest.mark.parametrize("device", DEVICES)
def test_each_device_writes_what_this_computer_does(trained, device):
    here = run(trained, "sample", "--count", "2")
    done = run(trained, "sample", "--count", "2", "--device", device)
    if done.returncode == 2 and device in ("interpret", "cuda"):  # which not all computers have
        assert re.fullmatch("sample: device: got .*; expected .*\\n", done.stderr)
        pytest.skip(done.stderr)
    assert (done.returncode, done.stdout, done.stderr) == (0, here.stdout, "")


def test_a_device_that_is_not_here_is_told_before_a_download(monkeypatch, capsys):
    def gone(x):
        raise ValueError("device: got none; expected one")

    monkeypatch.setitem(DEVICES, "gone", gone)
    monkeypatch.setattr("model.sample.find", lambda name: pytest.fail("a download"))
    monkeypatch.setattr(sys, "argv", ["sample", "--weights", "gpt2", "--device", "gone"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr().err == "sample: device: got none; expected one\n"
