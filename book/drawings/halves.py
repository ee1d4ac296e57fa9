"""halves: two processes, before (parallel) and after (halves): who computes, and who waits."""

from drawings.svg import Picture

# Parts are timed by what a processor spends on them, since others are at work on the machine; the
# fastest of all steps counts. When each part begins follows from the messages.
SHARED = """
import os, random, time
from collections import defaultdict
from dataclasses import replace
import numpy as np
from engine import parallel
from engine.memory import keep_memory
from engine.optim import decay_groups
from model.gpt import CONFIGS, GPT
keep_memory()
rng = np.random.default_rng(1)
config = replace(CONFIGS["small"], V=1280)
rows = rng.integers(0, config.V, (12, config.T + 1))
x, y = rows[:, :-1], rows[:, 1:]
file, first = os.open("times", os.O_CREAT | os.O_APPEND | os.O_WRONLY), os.getpid()
model = GPT(random.Random(1), config)
model.to(np.float32)

def noted(name, function):
    def call(*arguments):
        start = time.process_time()
        result = function(*arguments)
        spent = time.process_time() - start
        os.write(file, f"{int(os.getpid() != first)} {name} {spent}\\n".encode())
        return result
    return call

def fastest(step):
    found = defaultdict(list)
    for _ in range(60):
        step()
    for line in open("times"):
        who, name, spent = line.split()
        found[who + name].append(float(spent))
    return found
"""
BEFORE = """
from engine.optim import AdamW, clip_grad_norm
parallel.Team.work = noted("rows", parallel.Team.work)
parallel.Team.backward = noted("all", parallel.Team.backward)
team, optimizer = parallel.Team(model, 2), AdamW(decay_groups(model, 0.1), 1e-4)

def rest():
    clip_grad_norm(optimizer.params, 1.0)
    optimizer.step()

rest = noted("weights", rest)

def step():
    optimizer.zero_grad()
    team.backward(x, y)
    rest()

found = fastest(step)
add = min(whole - rows for whole, rows in zip(found["0all"], found["0rows"]))
result = {"rows": [min(found["0rows"]), min(found["1rows"])]}
result |= {"add": [add], "weights": [min(found["0weights"])]}
"""
AFTER = """
for name, method in (("rows", "work"), ("add", "add"), ("weights", "update")):
    setattr(parallel.Worker, method, noted(name, getattr(parallel.Worker, method)))
team = parallel.make_worker(model, decay_groups(model, 0.1), 1e-4, processes=2)

def step():
    team.backward(x, y)
    team.step(1.0)

found = fastest(step)
result = {
    name: [min(found[who + name]) for who in "01"] for name in ("rows", "add", "weights")
}
"""
RUNS = {"parallel": SHARED + BEFORE, "halves": SHARED + AFTER}
MEASURED = True
KINDS = {"rows": ("blue", 0.55), "add": ("green", 0.9), "weights": ("orange", 0.8)}
LEGEND = {"rows": (14, "its rows"), "add": (116, "adding up"), "weights": (232, "weights")}
LEFT, WIDE = 14, 452


def laid_out(found):
    """(seconds of a step, [(who, part, start, end), …]): a part begins when all have ended one."""
    now, times = 0.0, []
    for name in KINDS:
        times += [(who, name, now, now + spent) for who, spent in enumerate(found[name])]
        now = max(end for *_, end in times)
    return now, times


def draw(before, after):
    rows = [laid_out(found) for found in (before, after)]
    longest = max(whole for whole, _ in rows)
    idle = [whole - sum(b - a for who, _, a, b in times if who) for whole, times in rows]
    (slow, _), (fast, _) = rows
    words = (
        f"A training step of the size small, 12 rows, in two processes. Before, {1000 * slow:.1f} "
        "ms: both compute on their rows, then the first adds up all gradients and steps all "
        f"weights, while the second waits, {1000 * idle[0]:.1f} ms. Here, {1000 * fast:.1f} ms: "
        f"each adds up and steps its share, and the second waits {1000 * idle[1]:.1f} ms."
    )
    picture = Picture(426, "Two processes: who computes, and who waits", words)
    titles = ("before: one steps all weights", "here: each its share")
    for top, title, (whole, times) in zip((22, 206), titles, rows):
        picture.text(8, top, f"{title}, {1000 * whole:.1f} ms", bold=True)
        for who in (0, 1):
            y = top + 40 + 62 * who
            picture.text(LEFT, y - 6, ("first process", "second process")[who], kind="grey")
            picture.box(LEFT, y, WIDE * whole / longest, 32, "grey", 0.2)
            for each, name, start, end in times:
                if each == who:
                    wide = WIDE * (end - start) / longest
                    picture.box(LEFT + WIDE * start / longest, y, wide, 32, "paper")
                    picture.box(LEFT + WIDE * start / longest, y, wide, 32, *KINDS[name])
    for name, (x, label) in LEGEND.items():
        picture.box(x, 392, 20, 20, *KINDS[name])
        picture.text(x + 26, 408, label)
    picture.box(340, 392, 20, 20, "grey", 0.2)
    picture.text(366, 408, "waiting")
    return picture
