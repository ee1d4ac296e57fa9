"""profile: the roofline of this processor, with the functions of engine/cpu.py."""

from drawings.svg import Chart, Picture

RUN = """
import time
from dataclasses import replace
import numpy as np
from engine import cpu
from engine.cost import watched
from engine.memory import keep_memory
from model.gpt import CONFIGS
from model.instruments.profile import Profile, V, best_of_this_machine, training_step

time.perf_counter = time.process_time  # what others do on this machine counts nowhere
keep_memory()
config, B = replace(CONFIGS["medium"], V=V), 4
step, _ = training_step(config)
rows = np.random.default_rng(1).integers(0, V, (B, config.T + 1))
step(rows, 1)
rates, bests = {}, []
for _ in range(5):
    bests.append(best_of_this_machine())
    profile = Profile()
    with watched(cpu, profile.watch):
        step(rows, 1)
    for name, spent in profile.seconds.items():
        best = rates.get(name, [spent])[0]
        rates[name] = [min(best, spent), profile.flops[name], profile.moved[name]]
(name,) = {line for line in open("/proc/cpuinfo") if line.startswith("model name")}
result = {"processor": name.split(":")[1].strip(), "rates": rates}
result["best"] = [max(pair) for pair in zip(*bests)]
"""
RUNS = {"profile": RUN}
MEASURED = True


PRODUCTS = ("attention_forward", "attention_backward", "linear_forward", "linear_backward")
PRODUCTS += ("matmul_forward", "matmul_backward")
MOVERS = ("add", "add_to", "adamw_step", "gelu_forward", "gelu_backward", "layernorm_forward")
MOVERS += ("layernorm_backward", "cross_entropy_forward", "cross_entropy_backward")


def draw(found):
    speed, width = (each / 1e9 for each in found["best"])
    dots = {}  # {name: (FLOPs a byte, GFLOP/s)}
    for name in PRODUCTS:
        seconds, flops, moved = found["rates"][name]
        dots[name] = flops / moved, flops / seconds / 1e9
    speeds = {name: found["rates"][name][2] / found["rates"][name][0] / 1e9 for name in MOVERS}
    least, slow = min(rate / speed for _, rate in dots.values()), min(speeds, key=speeds.get)
    words = (
        f"A training step of the size medium, 4 windows of 256 tokens, on one thread of an "
        f"{found['processor']}. Its roof rises with the FLOPs a byte up to "
        f"{speed / width:.0f} and is flat from there at {speed:.0f} GFLOP/s, the speed of a large "
        "product. The six functions with products lie right of the ridge, at "
        f"{least:.0%} of the roof or more. Below, bars: how many GB/s the others move, beside the "
        f"{width:.0f} GB/s of a large copy; {slow} moves {speeds[slow]:.1f}."
    )
    picture = Picture(672, "The roofline of a processor, with act II's functions", words)
    picture.text(8, 22, f"GFLOP/s on an {found['processor']}, one thread", bold=True)
    chart = Chart(picture, (48, 40, 462, 300), (0.5, 512), (speed / 32, speed * 1.5), True, True)
    chart.y_marks([mark for mark in (1, 2, 5, 10, 20, 50, 100) if speed / 32 < mark < speed * 1.5])
    chart.x_marks((0.5, 2, 8, 32, 128, 512))
    roof = [(x, min(x * width, speed)) for x in (0.5, speed / width, 512)]
    chart.curve([point for point in roof if point[1] > speed / 32], "grey", width=3)
    for row, name in enumerate(sorted(dots, key=lambda name: dots[name])):
        x, y = chart.at(*dots[name])
        down = 136 + 24 * row
        picture.line([(x, y), (x, down)], "blue", 1)
        picture.dot(x, y, "blue", 5)
        picture.text(x - 6, down, name, "end", "blue")
    picture.text(255, 340, "FLOPs for each byte that is moved", "middle", "grey")
    picture.text(8, 382, f"GB/s; a large copy reaches {width:.0f} (line)", bold=True)
    for row, (name, rate) in enumerate(sorted(speeds.items(), key=lambda pair: -pair[1])):
        y, long = 396 + 29 * row, 178 * rate / max(width, *speeds.values())
        picture.text(212, y + 18, name, "end")
        picture.box(220, y + 3, long, 20, "orange", 0.7)
        picture.text(464, y + 18, f"{rate:.1f}", "end", "orange")
    copy = 220 + 178 * width / max(width, *speeds.values())
    picture.line([(copy, 394), (copy, 396 + 29 * len(speeds))], "ink", 2, "5 4")
    return picture
