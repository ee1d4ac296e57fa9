"""fused: the bytes that a training step moves, with a node for each operation and with fewer."""

from drawings.svg import Picture

RUN = """
import math, random
from collections import Counter
import numpy as np
from engine import cpu
from engine.cost import count_bytes, moved, watched
from engine.ops import cross_entropy
from model import gpt, train as training
from model.data import NAMES_FILE, load_data
from tests.engine.test_fused import attention_of_single_operations

sizes = training.TEXT_GPT
data = load_data("stories", NAMES_FILE, sizes["T"])
model = gpt.GPT(random.Random(2), V=len(data.characters), **sizes)
x, y = data.batch(random.Random(1), 16)

def step():
    for weight in model.parameters():
        weight.grad = None  # each count begins without gradients
    return cross_entropy(model(x), y)

attention, linear = gpt.attention, gpt.linear
gpt.attention, gpt.linear = attention_of_single_operations, lambda x, w, b: x @ w.T + b
totals = {"single operations": count_bytes(step)}
gpt.attention = attention
totals["attention one node"] = count_bytes(step)
gpt.linear = linear
totals["layers as well"] = count_bytes(step)
by_name = Counter()

def watch(name, function, *arguments):
    results = function(*arguments)
    by_name[name] += moved(name, arguments, results)
    return results

with watched(cpu, watch):
    step().backward()
result = {"totals": totals, "by_name": by_name}
"""
RUNS = {"fused": RUN}


def draw(found):
    totals = [(name, *count) for name, count in found["totals"].items()]
    (_, first, most), (_, last, least) = totals[0], totals[-1]
    names = sorted(found["by_name"], key=found["by_name"].get, reverse=True)[:11]
    top = found["by_name"][names[0]] / 1e6
    words = (
        f"Above, the megabytes that one training step moves: {most / 1e6:.1f} with a node for each "
        f"operation, {first} nodes, and {least / 1e6:.1f} where attention and layers are one node "
        f"each, {last} nodes. Below, the functions that move most at the end, first of all "
        f"{names[0]} with {top:.0f}."
    )
    picture = Picture(152 + 38 + 30 * len(names), "Bytes moved before and after", words)
    picture.text(8, 22, "MB moved by a training step", bold=True)
    for row, (name, nodes, count) in enumerate(totals):
        bar(picture, 36 + 32 * row, f"{name}, {nodes} nodes", count, most, "orange", 250)
    picture.text(8, 172, "at the end: MB by function", bold=True)
    for row, name in enumerate(names):
        count = found["by_name"][name]
        bar(picture, 186 + 29 * row, name, count, found["by_name"][names[0]], "blue", 222)
    return picture


def bar(picture, y, name, count, most, kind, left):
    picture.text(left - 8, y + 18, name, "end")
    picture.box(left, y + 3, (418 - left) * count / most, 20, kind, 0.7)
    picture.text(left + (418 - left) * count / most + 6, y + 18, f"{count / 1e6:.0f}", kind=kind)
