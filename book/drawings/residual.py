"""residual: the gradient that reaches each of twelve layers, which add or which replace."""

from drawings.svg import Chart, Picture

RUN = """
import random
from model import gpt
from model.data import encode

def by_layer(spread, join, L=12):
    sizes = [0.0] * L
    for seed in range(10):
        model = gpt.GPT(random.Random(seed), L=L)
        for weight in (w for layer in model.layers for w in layer.parameters()):
            weight.data *= spread / 0.2
        rows = []
        gpt.add = lambda x, y: rows.append(join(x, y)) or rows[-1]
        gpt.name_loss(model, encode("anna")).backward()
        for i in range(L):  # a row for each letter and layer
            grads = [abs(number.grad) for row in rows[i::L] for number in row]
            sizes[i] += sum(grads) / len(grads) / 10
    return sizes

adding, replacing = gpt.add, lambda x, y: y
result = {"adding": {w: by_layer(w, adding) for w in (0.2, 0.1)}}
result["replacing"] = {w: by_layer(w, replacing) for w in (0.2, 0.1)}
"""
RUNS = {"residual": RUN}


def draw(found):
    add, put = found["adding"], found["replacing"]
    words = (
        "The mean size of the gradients at what comes out of each of 12 layers, over ten untrained "
        "starts; each line is ten times the one below. After the last layer all four begin near "
        f"{put['0.2'][-1]:.2f}. Where layers replace, {put['0.2'][0]:.4f} is left after the first "
        f"layer, and with half as large weights {put['0.1'][0]:.6f}. Where they add, it has grown "
        f"to {add['0.2'][0]:.3f} and {add['0.1'][0]:.3f}."
    )
    picture = Picture(456, "The gradient that reaches each layer", words)
    picture.text(8, 22, "mean size of the gradient", bold=True)
    chart = Chart(picture, (82, 44, 462, 376), (1, 12), (1e-5, 1), log_y=True)
    marks = {0.00001: "0.00001", 0.0001: "0.0001", 0.001: "0.001", 0.01: "0.01", 0.1: "0.1", 1: "1"}
    for mark, name in marks.items():
        chart.y_marks([mark], name)
    chart.x_marks(range(1, 13))
    for name, kind in (("adding", "blue"), ("replacing", "orange")):
        for spread, dashes in (("0.2", None), ("0.1", "7 4")):
            chart.curve(list(enumerate(found[name][spread], 1)), kind, dashes, dots=True)
    chart.label(1.3, add["0.2"][0], "adding", "blue", "start", (0, -16))
    chart.label(4.4, put["0.2"][3], "replacing", "orange", "start", (0, 28))
    chart.label(4.4, put["0.1"][3], "replacing, smaller weights", "orange", "start", (10, 26))
    picture.text(258, 420, "layer: 1 is next to the letters, 12 next to the loss", "middle", "grey")
    picture.text(258, 444, "lines: weights of the spread 0.2; dashes: 0.1", "middle", "grey")
    return picture
