"""Tests and measures the kernels on this computer's GPU, in at most 8 minutes, without a network.

    python3 book/gpu.py [--out FOLDER]     writes NAME.json there, else in book/gpu
    python3 book/gpu.py --dry              tries every line without a GPU: simulated, small sizes,
                                           a stand-in for compute-sanitizer; writes only with --out

python3 is the one that has PyTorch, Triton and pytest. First, all at once: the tests of the
kernels, on the device; each operation 20 times, bit for bit; and the tests under
compute-sanitizer, for what is read or written outside of memory, and for races within a program
(not the bench, which computes what the others do, and takes minutes there).
Then, alone: python -m kernels.bench; 200 training steps of gpt2 beside PyTorch's, and where such a
step spends its time; and steps of small models, each loss awaited or none.
"""

import argparse
import hashlib
import importlib.metadata
import importlib.util
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from common import ROOT, Problem, last_line, run_program

sys.path.insert(0, str(ROOT))
# Of each part, at most.
SECONDS = {"tests": 170, "bench": 120, "train": 130, "waiting": 50}
REPEATS = 20
RATE = 0.00003  # so small that rounding does not grow: both losses are to stay the same
# What --dry has in place of compute-sanitizer: it runs what stands behind the options.
STAND_IN = """import subprocess, sys
print("========= ERROR SUMMARY: 0 errors", flush=True)
sys.exit(subprocess.run(sys.argv[5:]).returncode)"""


class Plan:
    """What is measured, and where: on a GPU, or dry."""

    def __init__(self, dry):
        self.dry = dry
        self.device = "cuda"
        places = sorted((ROOT / "tests/kernels").glob("test_*.py"))
        self.files = [path.relative_to(ROOT).as_posix() for path in places]
        self.tool = shutil.which("compute-sanitizer")
        self.tool = [self.tool] if self.tool else []
        self.steps, self.rows, self.model = 200, 8, "gpt2"
        if dry:
            self.device = "simulate"
            self.files = ["tests/kernels/test_elementwise.py"]
            self.tool = [sys.executable, "-c", STAND_IN]
            self.steps, self.rows, self.model = 3, 2, "names"


def run(plan, seconds, *words):
    """(status, what it printed, seconds); a status of None: it was not done in time."""
    env = {**os.environ, "KERNELS_DEVICE": plan.device, "PYTHONDONTWRITEBYTECODE": "1"}
    if "memcheck" in words or "racecheck" in words:
        env["PYTORCH_NO_CUDA_MEMORY_CACHING"] = "1"  # or it cannot tell arrays apart
    start = time.perf_counter()
    # A session of its own: what it has started must end with it, or the next parts share the GPU.
    child = subprocess.Popen(
        words,
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    status = None
    try:
        said, _ = child.communicate(timeout=seconds)
        status = child.returncode
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        said, _ = child.communicate()
    return status, said, time.perf_counter() - start


def tested(plan, deadline, file, tool=None):
    """What a test file shows on the device, plain or under a tool of compute-sanitizer."""
    words = [sys.executable, "-m", "pytest", file]
    if tool:
        words = [*plan.tool, "--tool", tool, "--launch-timeout", "0", *words]
    status, said, seconds = run(plan, max(1, deadline - time.perf_counter()), *words)
    count = re.search(r"(\d+) passed", said)
    found = {"tests": int(count[1]) if count else 0, "seconds": round(seconds, 1)}
    if tool:
        lines = [line for line in said.splitlines() if line.startswith("=========")]
        found["errors"] = [*lines[:3], *(line for line in lines[3:] if "SUMMARY" in line)]
    found["state"] = {0: "passed", None: "not done in time"}.get(status, last_line(said))
    if failed := re.findall(r"^(?:FAILED|ERROR) .*", said, re.M):
        found["state"] = " ".join(failed)
    return found


def correct(plan):
    """{file: what it shows} of tests and sanitizers, {operation: whether it repeats}"""
    deadline = time.perf_counter() + SECONDS["tests"]
    with ThreadPoolExecutor(max(2, (os.cpu_count() or 2) - 2)) as pool:
        again = pool.submit(
            run, plan, SECONDS["tests"], sys.executable, "book/gpu.py", "--repeat", plan.device
        )
        jobs = {"tests": {file: pool.submit(tested, plan, deadline, file) for file in plan.files}}
        for tool in ("memcheck", "racecheck") if plan.tool else ():
            jobs[tool] = {
                file: pool.submit(tested, plan, deadline, file, tool)
                for file in plan.files
                if not file.endswith("test_bench.py")
            }
    found = {name: {f: job.result() for f, job in of.items()} for name, of in jobs.items()}
    status, said, _ = again.result()
    found["repeats"] = json.loads(last_line(said)) if status == 0 else last_line(said)
    return found


def repeats(name):
    """{operation of kernels/bench.py: how many of 20 runs are the first to the last bit}"""
    from kernels import bench, device

    device.use(name)
    sizes = bench.SMALL if name != "cuda" else bench.GPT2 | {"B": 2, "V": 5024, "weights": 2**20}
    found = {}
    for case in bench.cases(SimpleNamespace(**sizes)):
        inputs, _ = case.inputs()
        kept = {key: x.numpy() for key, x in bench.arrays(inputs).items()}
        runs = []
        for _ in range(REPEATS):
            for key, x in bench.arrays(inputs).items():
                x[...] = kept[key]  # an operation may work in place
            results = bench.arrays([case.ours(*inputs)])
            runs.append([hashlib.sha256(x.numpy()).digest() for x in results.values()])
        found[case.name] = sum(run == runs[0] for run in runs)
    return found


def trained(plan):
    """Losses and milliseconds of training steps, ours and PyTorch's, from the same weights."""
    import numpy as np
    import torch

    from engine.backend import number
    from engine.optim import decay_groups
    from engine.parallel import make_worker
    from model.gpt import CONFIGS, GPT
    from model.instruments.torch_gpt import logits

    config, place = CONFIGS[plan.model], "cuda" if plan.device == "cuda" else "cpu"
    config = replace(config, scale=0.4 / math.sqrt(config.C))
    model = GPT(random.Random(1), config).to(np.float32)
    w = {
        name: torch.tensor(weight.data, device=place, requires_grad=True)
        for name, weight in model.named_parameters()
    }
    rows = np.random.default_rng(1).integers(0, config.V, (4, plan.rows, config.T + 1))

    worker = make_worker(model.to(plan.device), decay_groups(model, 0.1), RATE)

    def ours(x, y):
        loss = worker.backward(x, y)
        worker.step(1.0)
        return number(loss)

    matrices = {"params": [each for each in w.values() if each.ndim >= 2]}
    vectors = {"params": [each for each in w.values() if each.ndim < 2], "weight_decay": 0.0}
    groups = [matrices, vectors]
    optimizer = torch.optim.AdamW(groups, RATE, (0.9, 0.99), weight_decay=0.1, fused=True)

    def theirs(x, y):
        x, y = (torch.tensor(each, device=place) for each in (x, y))
        optimizer.zero_grad()
        z = logits(w, x, config.L, config.H)
        loss = torch.nn.functional.cross_entropy(z.flatten(0, 1), y.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(w.values(), 1.0)
        optimizer.step()
        return loss.item()

    found = {}
    for name, step in (("ours", ours), ("PyTorch", theirs)):
        losses, times, until = [], [], time.perf_counter() + SECONDS["train"] / 2.5
        for turn in range(plan.steps):
            batch = rows[turn % len(rows)]
            start = time.perf_counter()
            losses.append(step(batch[:, :-1], batch[:, 1:]))
            times.append(1000 * (time.perf_counter() - start))
            if time.perf_counter() > until:
                break
        found[name] = {"steps": len(losses), "ms": sorted(times)[len(times) // 2], "losses": losses}
    pairs = zip(*(found[name]["losses"] for name in found))
    found["largest difference"] = max(abs(a - b) for a, b in pairs)
    for name, step in (("ours", ours), ("PyTorch", theirs)):
        found[name]["profile"] = profiled(plan, partial(step, rows[0][:, :-1], rows[0][:, 1:]))
    return found | {"model": plan.model, "B": plan.rows, "T": config.T}


def profiled(plan, step):
    """{kernel: (launches, milliseconds) of a step}, by PyTorch's profiler, the longest first."""
    from torch.profiler import ProfilerActivity, profile

    on_gpu = plan.device == "cuda"
    with profile(activities=[ProfilerActivity.CUDA if on_gpu else ProfilerActivity.CPU]) as seen:
        step()
    found = {}
    for each in seen.key_averages():
        microseconds = each.device_time_total if on_gpu else each.cpu_time_total
        found[each.key[:60]] = each.count, round(microseconds / 1000, 4)
    return dict(sorted(found.items(), key=lambda item: -item[1][1])[:30])


def waiting(plan):
    """{model: launches, and milliseconds a step, each loss awaited or none until the end}"""
    from kernels import device
    from model.options import NAMES_RUN, TEXT_RUN
    from model.run import begin

    device.use(plan.device)
    settings = {"names": NAMES_RUN | {"data": "names"}}
    if not plan.dry:
        settings["stories"] = TEXT_RUN | {"data": "engine/ops.py", "merges": 0}
    found, steps = {}, 3 if plan.dry else 60
    for name, each in settings.items():
        run = begin(each | {"names": None, "device": plan.device, "steps": 10_000})
        times = {"awaited": [], "not awaited": []}
        for turn in range(6):
            start = time.perf_counter()
            for _ in range(steps):
                run.read(run.enqueue())
            between = time.perf_counter()
            for enqueued in [run.enqueue() for _ in range(steps)]:
                run.read(enqueued)
            if turn:  # the first compiles
                times["awaited"].append(1000 * (between - start) / steps)
                times["not awaited"].append(1000 * (time.perf_counter() - between) / steps)
        found[name] = {way: sorted(each) for way, each in times.items()}
        found[name]["launches"] = run.launches
    return found


def measured(plan, folder):
    """The table of kernels/bench.py."""
    path = Path(folder) / "bench.json"
    words = [sys.executable, "-m", "kernels.bench", "--device", plan.device, "--json", str(path)]
    status, said, _ = run(plan, SECONDS["bench"], *words)
    print(said, flush=True)
    return json.loads(path.read_text()) if status == 0 else {"failed": last_line(said)}


def alone(plan, part):
    """A part in a process of its own, so that the GPU's memory is free before and after."""
    words = [sys.executable, "book/gpu.py", "--part", part, *(["--dry"] if plan.dry else [])]
    status, said, _ = run(plan, SECONDS[part], *words)
    if status != 0:
        return {"failed": last_line(said)}
    # PyTorch's profiler may have the last words.
    return json.loads([line for line in said.splitlines() if line.startswith("{")][-1])


def about(plan):
    """The GPU, and the packages that are used."""
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "torch", "pytest")}
    if importlib.util.find_spec("triton"):
        versions["triton"] = importlib.metadata.version("triton")
    name = plan.device
    if name == "cuda":
        import torch

        name = torch.cuda.get_device_name()
    return {"device": name, "date": time.strftime("%Y-%m-%d"), **versions}


def summary(found):
    """What went wrong, and the training, in a few lines."""
    for tool in ("tests", "memcheck", "racecheck"):
        shown = found.get(tool, {})
        passed = sum(each["state"] == "passed" for each in shown.values())
        yield f"{tool}: {passed} of {len(shown)} files passed"
        for file, each in shown.items():
            wrong = [line for line in each.get("errors", []) if not line.endswith(" 0 errors")]
            if each["state"] != "passed" or wrong:
                yield f"  {file}: {each['state']} {' '.join(wrong)}"
    same = found["repeats"]
    if isinstance(same, dict):
        others = [f"{name} {count}" for name, count in same.items() if count < REPEATS]
        yield f"{REPEATS} runs bit for bit: {len(same) - len(others)} of {len(same)} {others}"
    else:
        yield f"{REPEATS} runs bit for bit: {same}"
    train = found["train"]
    if "failed" in train:
        yield f"training: {train['failed']}"
    else:
        times = " · ".join(f"{name} {train[name]['ms']:.1f} ms" for name in ("ours", "PyTorch"))
        steps, apart = train["ours"]["steps"], train["largest difference"]
        yield f"{steps} steps of {train['model']}: {times} · losses {apart:.2g} apart"
    for model, each in found["waiting"].items():
        if model == "failed":
            yield f"waiting: {each}"
        else:
            ways = (f"{way} {each[way][2]:.1f} ms" for way in ("awaited", "not awaited"))
            yield f"a step of {model}, losses {' · '.join(ways)}"


def main(words):
    parser = argparse.ArgumentParser(prog="gpu.py", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="without a GPU, to try every line")
    parser.add_argument("--out", help="the folder for NAME.json; default book/gpu")
    parser.add_argument("--repeat", metavar="DEVICE", help="only this part, in this process")
    parser.add_argument("--part", choices=("train", "waiting"), help="likewise")
    options = parser.parse_args(words)
    if importlib.util.find_spec("torch") is None:
        raise Problem("this Python has no PyTorch; expected one with it: make test WITH=triton")
    plan = Plan(options.dry)
    if options.repeat:
        return print(json.dumps(repeats(options.repeat)))
    if options.part:
        return print(json.dumps({"train": trained, "waiting": waiting}[options.part](plan)))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        found = about(plan) | correct(plan)
        found["bench"] = measured(plan, scratch)
        found |= {part: alone(plan, part) for part in ("train", "waiting")}
        found["seconds"] = round(time.perf_counter() - began)
        out = Path(options.out or (scratch if plan.dry else ROOT / "book/gpu"))
        out.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^a-z0-9]+", "-", found["device"].lower()).strip("-")
        (out / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    print(*summary(found), f"{found['seconds']} s", sep="\n")


if __name__ == "__main__":
    run_program(main)
