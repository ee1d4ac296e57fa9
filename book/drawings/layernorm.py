"""layernorm: how large a vector is on the road, and where it is read, by the blocks it passed."""

from drawings.svg import Chart, Picture

RUN = """
import random
from model import gpt
from model.data import encode

def size(x):
    return (sum(number.data**2 for number in x) / len(x)) ** 0.5

def sizes():
    model = gpt.GPT(random.Random(1), L=12)
    xs = [gpt.add(model.tok_emb[x], model.pos_emb[t]) for t, x in enumerate(encode("anna")[:-1])]
    road, read = [], []
    for block in model.blocks:
        road.append(size(xs[-1]))
        read.append(size(block.ln_1(xs[-1])))
        xs = block(xs)
    return road + [size(xs[-1])], read + [size(model.ln_f(xs[-1]))]

result = {"with": sizes()}
gpt.LayerNorm.__call__ = lambda self, x: x
result["without"] = sizes()
"""
RUNS = {"layernorm": RUN}


def draw(found):
    (road, read), (bare, _) = found["with"], found["without"]
    words = (
        "The size of the last letter's vector in an untrained model, after 0 to 12 blocks, upwards "
        f"by doublings. With LayerNorm the road grows from {road[0]:.2f} to {road[-1]:.2f}, and "
        f"what a part reads is {read[-1]:.2f} everywhere. Without LayerNorm the road is what is "
        f"read: {bare[0]:.2f} at first, {bare[4]:.2f} after four blocks, {bare[-1]:.2f} after "
        "twelve."
    )
    picture = Picture(420, "The size of vectors by depth, with and without LayerNorm", words)
    picture.text(8, 22, "size of the last letter's vector", bold=True)
    chart = Chart(picture, (60, 44, 462, 360), (0, 12), (0.125, 16), log_y=True)
    chart.y_marks((0.125, 0.25, 0.5, 1, 2, 4, 8, 16))
    chart.x_marks(range(0, 13, 2))
    for sizes, kind, dashes in (
        (bare, "orange", None),
        (road, "blue", "7 4"),
        (read, "blue", None),
    ):
        chart.curve(list(enumerate(sizes)), kind, dashes, dots=dashes is None)
    chart.label(10.5, 12, "without:", "orange", "end")
    chart.label(10.5, 12, "the road, and what is read", "orange", "end", (0, 20))
    chart.label(0.6, 1.7, "with: the road", "blue")
    chart.label(6.4, 0.72, "with: what is read", "blue")
    picture.text(258, 408, "blocks it has passed", "middle", "grey")
    return picture
