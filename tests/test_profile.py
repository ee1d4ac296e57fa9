import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from model.gpt import CONFIGS, GPT
from model.profile import V, clock

ROOT = Path(__file__).parent.parent


def test_calls_and_seconds_are_counted_and_results_handed_on():
    def wait_forward(seconds):
        time.sleep(seconds)
        return 2 * seconds

    module = SimpleNamespace(wait_forward=wait_forward, helper=lambda: 7)
    helper, calls, seconds = module.helper, Counter(), Counter()
    clock(module, calls, seconds)
    assert module.wait_forward(0.01) == 0.02 and module.wait_forward(0.02) == 0.04
    assert module.helper is helper and calls == {"wait_forward": 2}
    assert seconds["wait_forward"] >= 0.03


def test_a_batch_holds_at_least_one_row():
    command = [sys.executable, "-m", "model.profile", "--model", "names", "--batch-size", "0"]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "profile: got batches of 0; expected 1 to 1,000\n"


def test_the_lines_add_up_to_the_step():
    command = [sys.executable, "-m", "model.profile", "--model", "names", "--batch-size", "2"]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    first, *lines, last = done.stdout.splitlines()
    size = sum(w.data.size for w in GPT(None, V=V, **CONFIGS["names"]).parameters())
    assert first == f"names · {size:,} weights · 2 x 16 tokens"
    parts = [float(re.search(r"([\d.,]+) ms", line)[1].replace(",", "")) for line in lines]
    whole = float(re.search(r"a step: ([\d.,]+) ms", last)[1].replace(",", ""))
    assert sum(parts) == pytest.approx(whole, abs=0.1 * len(parts) + 0.1)
    assert parts == sorted(parts, reverse=True)
    # Not below 0, as it would be if some time were counted twice.
    assert re.search(r"^all else +[\d.,]+ ms", done.stdout, re.MULTILINE)
    calls = dict(re.findall(r"^(\w+) +(\d+) ", done.stdout, re.MULTILINE))
    assert calls["layernorm_forward"] == calls["layernorm_backward"] == "3"
    assert calls["linear_backward"] == "4" and calls["attention_forward"] == "1"
