"""Races a step's model against a reference: python3 book/bench.py act1

act1: one training step (loss, gradients, Adam) of the GPT of act-1 on its own engine, against
the same model on book/plain.py, an engine with a node per operation. Both start from the same
weights, see the same names and must have the same losses to 1e-9. They take turns; the figure is
the median of the ratios. Python's collector is off for act I, as in its training loop. The plain
graphs hold cycles and need it; a ratio without it is printed too. Then: how the cost of a step
grows with context, channels and layers.
"""

import gc
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from common import ROOT, Problem, act_end, run_program, sandbox

NAMES = ["anna", "johanna", "konstantin", "mia", "gabriel", "noor", "elisabeth", "ravi", "chiara"]


def timed(work, *arguments):
    start = time.perf_counter()
    result = work(*arguments)
    return time.perf_counter() - start, result


def race():
    """Prints a line a name and last the median ratio."""
    from plain import PlainAdam, PlainGPT

    from engine.optim import Adam
    from model.data import encode
    from model.gpt import GPT, name_loss

    model = GPT(random.Random(1))
    plain = PlainGPT(model)
    ours = Adam(model.parameters(), lr=0.005)
    theirs = PlainAdam(plain.params.values(), lr=0.005, betas=ours.betas, eps=ours.eps)

    def our_step(letters):
        ours.zero_grad()
        loss = name_loss(model, letters)
        loss.backward()
        ours.step()
        return loss.data

    def their_step(letters):
        loss = plain.loss(letters)
        loss.backward()
        theirs.step()
        return loss.data

    def turn(name, collector):
        gc.disable()
        a, our_loss = timed(our_step, encode(name))
        if collector:
            gc.enable()
        b, their_loss = timed(their_step, encode(name))
        gc.enable()
        gc.collect()
        assert abs(our_loss - their_loss) < 1e-9, (our_loss, their_loss)
        print(f"{name:12} loss {our_loss:.9f}   {1000 * a:6.1f} ms   {1000 * b:7.1f} ms plain")
        return b / a

    without = statistics.median([turn(name, collector=False) for name in NAMES])
    print(f"collector off for both: ratio {without:.1f}")
    ratio = statistics.median([turn(name, collector=True) for name in NAMES])
    growth()
    print(f"ratio {ratio:.1f}")


def growth():
    """Milliseconds for loss and gradients at other sizes; the model of act-1 is the first row."""
    from model.gpt import GPT, name_loss

    base = {"T": 16, "C": 16, "L": 1}
    for letters, change in [
        (16, {}),
        (4, {}),
        (8, {}),
        (32, {"T": 32}),
        (16, {"C": 8}),
        (16, {"C": 32}),
        (16, {"L": 2}),
        (16, {"L": 4}),
    ]:
        sizes = base | change
        model = GPT(random.Random(1), **sizes)
        name = [0] + [1 + i % 26 for i in range(letters - 1)] + [0]

        def step(model=model, name=name):
            gc.disable()
            name_loss(model, name).backward()
            gc.enable()

        ms = 1000 * statistics.median(timed(step)[0] for _ in range(7))
        weights = len(model.parameters())
        what = f"letters {letters:2}  channels {sizes['C']:2}  layers {sizes['L']}"
        print(f"{what}  weights {weights:6,}  {ms:6.1f} ms")


def main(words):
    if words == ["act1", "--here"]:
        sys.path.insert(0, "")
        sys.setrecursionlimit(10**6)
        threading.stack_size(512 * 2**20)  # the plain engine recurses through its whole graph
        errors = []

        def run():
            try:
                race()
            except Exception as error:
                errors.append(error)

        runner = threading.Thread(target=run)
        runner.start()
        runner.join()
        if errors:
            raise errors[0]
        return 0
    if words != ["act1"]:
        raise Problem(f"got '{' '.join(words)}'; expected act1")
    with tempfile.TemporaryDirectory() as scratch:
        here = sandbox(act_end("act-1").commit, Path(scratch) / "act-1", ROOT)
        command = [sys.executable, __file__, "act1", "--here"]
        return subprocess.run(command, cwd=here, check=False).returncode


if __name__ == "__main__":
    run_program(main)
