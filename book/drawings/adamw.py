"""adamw: warm-up and cosine, and the norm of the gradients, clipped, from a short run."""

from drawings.svg import Chart, Picture

RUN = """
import math, random
import numpy as np
from model import train as training
from model.data import NAMES_FILE, load_data
from model.gpt import GPT
from model.options import TEXT_RUN
kept, clip, shares, norms = training.warm_up_cool_down, training.clip_grad_norm, [], []
training.warm_up_cool_down = lambda done, steps: shares.append(kept(done, steps)) or shares[-1]
training.clip_grad_norm = lambda *given: norms.append(clip(*given)) or norms[-1]
sizes = training.TEXT_GPT
data = load_data("stories", NAMES_FILE, sizes["T"], TEXT_RUN["merges"])
model = GPT(random.Random(2), V=data.V, scale=0.4 / math.sqrt(sizes["C"]), **sizes)
model.to(np.float32)
training.train(model, data, TEXT_RUN["learning_rate"], 300, TEXT_RUN["batch_size"])
result = {"rate": TEXT_RUN["learning_rate"], "shares": shares, "norms": norms}
"""
RUNS = {"adamw": RUN}


def draw(found):
    shares, norms, steps = found["shares"], found["norms"], len(found["norms"])
    above, last = [k for k, norm in enumerate(norms) if norm > 1], steps - 1
    words = (
        f"A run of {steps} steps on stories. Above, the learning rate: up to {found['rate']} in "
        "the first tenth, then down along half a wave of a cosine, dashed beside it the straight "
        f"line of before. Below, the norm of the gradients, at most {max(norms):.1f}: in "
        f"{len(above)} steps, the last of them step {max(above) + 1}, it is above 1, the line, and "
        "what is above is clipped."
    )
    picture = Picture(520, "Warm-up and cosine, and clipped gradients", words)
    picture.text(8, 22, "share of the learning rate", bold=True)
    chart = Chart(picture, (58, 40, 462, 200), (0, steps), (0, 1))
    chart.y_marks((0, 0.5, 1))
    start = steps / 10
    chart.curve([(start, 1), (steps, 0)], "grey", "6 4", width=2)
    chart.curve(list(enumerate(shares)), "blue")
    chart.label(0.62 * steps, 0.66, "cosine", "blue")
    chart.label(0.13 * steps, 0.42, "straight line", "grey")
    picture.text(8, 246, "norm of the gradients", bold=True)
    chart = Chart(picture, (58, 264, 462, 456), (0, steps), (0.125, 32), log_y=True)
    chart.y_marks((0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32))
    chart.x_marks((0, 100, 200, 300))
    for step in above:
        chart.curve([(step, 1), (step, norms[step])], "orange", width=1.4)
    chart.curve(list(enumerate(norms)), "grey", width=1.2)
    chart.curve([(0, 1), (last, 1)], "orange", "5 4", width=2)
    chart.label(0.5 * steps, 1, "above 1: clipped to 1", "orange", "start", (0, -22))
    picture.text(260, 504, "steps", "middle", "grey")
    return picture
