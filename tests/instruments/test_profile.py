import math
import random
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine import cpu
from engine.cost import count_bytes, watched
from engine.flat import BLOCK, Flat
from engine.ops import cross_entropy
from engine.optim import decay_groups
from model.gpt import CONFIGS, GPT, GPTConfig, count_flops
from model.instruments.profile import Profile, V

ROOT = Path(__file__).parents[2]


def run_profile(arguments):
    command = [sys.executable, "-m", "model.instruments.profile"]
    command += ["--model", "names", *arguments.split()]
    return subprocess.run(
        command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )


def test_calls_seconds_and_bytes_are_counted_and_results_handed_on():
    def wait(seconds, x):
        time.sleep(seconds)
        return x[0], 2 * seconds

    module, profile, x = SimpleNamespace(wait=wait), Profile(), np.zeros((2, 5))
    with watched(module, profile.watch):
        assert module.wait(0.01, x)[1] == 0.02 and module.wait(0.02, x)[1] == 0.04
    assert module.wait is wait and profile.calls == {"wait": 2}
    assert profile.seconds["wait"] >= 0.03
    assert profile.moved["wait"] == 2 * (80 + 40) and profile.flops["wait"] == 0


def test_flops_and_bytes_are_those_of_the_counts():
    """All arithmetic of a step with bytes of its own stands in engine/cpu.py: both counts are the
    same.
    """
    rows = np.random.default_rng(1).integers(0, 27, (3, 9))

    def loss():
        model = GPT(random.Random(1), GPTConfig(T=8, C=8, H=2, L=2))
        return cross_entropy(model(rows[:, :-1]), rows[:, 1:])

    profile = Profile()
    with watched(cpu, profile.watch):
        loss().backward()
    model = GPT(random.Random(1), GPTConfig(T=8, C=8, H=2, L=2))
    assert profile.flops.total() == count_flops(model, 3, 8)
    assert profile.moved.total() == count_bytes(loss)[1]


def test_a_batch_holds_at_least_one_row_and_no_more_micro_batches_than_rows():
    for arguments, message in [
        ("--batch-size 0", "profile: got batches of 0; expected 1 to 1,000\n"),
        (
            "--batch-size 2 --micro-batches 3",
            "profile: got 3 micro-batches; expected 1 to 2, the batch\n",
        ),
    ]:
        done = run_profile(arguments)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_the_lines_add_up_to_the_step():
    done = run_profile("--batch-size 2")
    assert done.returncode == 0, done.stderr
    first, _, _, *lines, shares, last = done.stdout.splitlines()
    model = GPT(None, replace(CONFIGS["names"], V=V))
    size = sum(w.data.size for w in model.parameters())
    assert first == f"names · {size:,} weights · 2 x 16 tokens · micro-batches 2"
    found = [re.match(r"(\w+|all else) +(\d*) +([\d.,]+) ", line) for line in lines]
    spent = [float(line[3].replace(",", "")) for line in found]
    whole = float(re.search(r"a step: ([\d.,]+) ms", last)[1].replace(",", ""))
    assert sum(spent) == pytest.approx(whole, abs=0.1 * len(spent) + 0.1)
    assert spent == sorted(spent, reverse=True) and spent[-1] >= 0
    assert sum(map(float, re.findall(r"(-?[\d.]+)%", shares))) == pytest.approx(100, abs=0.3)
    calls = {line[1]: line[2] for line in found}
    assert calls["layernorm_forward"] == calls["layernorm_backward"] == "6"
    assert calls["linear_backward"] == "10" and calls["attention_forward"] == "2"
    # The residual road and the positions, and the gradients where it forks, in both micro-batches.
    assert calls["add"] == "10"
    # Clipping looks at all gradients at once, AdamW goes through its two stretches in blocks.
    stretches = Flat(decay_groups(model, 0.1)).stretches
    blocks = sum(math.ceil((stop - start) / BLOCK) for start, stop, _ in stretches)
    assert calls["square_sum"] == "1" and calls["adamw_step"] == str(blocks)
    assert calls["all else"] == ""


def test_the_optimizer_reads_four_arrays_and_writes_three():
    profile, arrays = Profile(), np.ones((4, 10))
    with watched(cpu, profile.watch):
        cpu.adamw_step(*arrays, 1, 0.1, (0.9, 0.99), 1e-8, 0.0)
    assert profile.moved["adamw_step"] == 7 * 80
