"""cooldown: the wave of the learning rate, and the loss while training with and without it."""

from drawings.svg import Chart, Picture

RUN = """
import random
from model import train as training
from model.data import NAMES_FILE, read_names, split
from model.gpt import GPT
from model.services.progress import Progress

seen, held_out = split(read_names(NAMES_FILE))
kept, note = training.warm_up_cool_down, Progress.note
shares, losses = [], []
Progress.note = lambda self, loss, letters: losses.append(loss) or note(self, loss, letters)

def run(rate, schedule):
    losses.clear()
    training.warm_up_cool_down = schedule
    model = GPT(random.Random(2))
    training.train(model, seen, rate, 2)
    size = len(losses) // 40
    means = [sum(losses[k : k + size]) / size for k in range(0, size * 40, size)]
    return {"means": means, "end": training.average_loss(model, held_out)}

wave = run(0.4, lambda done, steps: shares.append(kept(done, steps)) or shares[-1])
result = {"shares": shares[::20] + shares[-1:], "steps": len(shares), "wave": wave}
result |= {"high": run(0.4, lambda done, steps: 1.0), "low": run(0.1, lambda done, steps: 1.0)}
"""
RUNS = {"cooldown": RUN}
CURVES = {"high": ("orange", "2 4"), "low": ("green", "8 4"), "wave": ("blue", None)}


def draw(found):
    ends = {name: found[name]["end"] for name in CURVES}
    words = (
        f"Above, the learning rate over the {found['steps']:,} steps of a training: a straight "
        "line up to 0.4 in the first tenth, then a straight line down to 0. Below, the loss of "
        "the names, each point the mean of a fortieth of them. With the wave it falls to the end, "
        f"and on held-out names it reaches {ends['wave']:.3f}. Held at 0.4 it ends at "
        f"{ends['high']:.3f}, held at 0.1 at {ends['low']:.3f}."
    )
    picture = Picture(560, "The wave of the learning rate, and the loss with and without", words)
    steps = found["steps"]
    picture.text(8, 22, "learning rate", bold=True)
    chart = Chart(picture, (48, 40, 462, 150), (0, steps), (0, 0.4))
    chart.y_marks((0, 0.2, 0.4))
    for name, rate in (("high", 0.4), ("low", 0.1)):
        chart.curve([(0, rate), (steps, rate)], *CURVES[name])
    count = len(found["shares"])
    wave = [(k * steps / (count - 1), 0.4 * share) for k, share in enumerate(found["shares"])]
    chart.curve(wave, "blue")
    picture.text(8, 196, "loss while training", bold=True)
    chart = Chart(picture, (48, 214, 462, 456), (0, steps), (2.4, 2.9))
    chart.y_marks((2.4, 2.5, 2.6, 2.7, 2.8, 2.9), "{:.1f}")
    chart.x_marks((0, 2000, 4000), "{:,}")
    for name, (kind, dashes) in CURVES.items():
        means = found[name]["means"]
        points = [((k + 0.5) * steps / len(means), mean) for k, mean in enumerate(means)]
        chart.curve([point for point in points if point[1] <= 2.9], kind, dashes)
    labels = {"high": "held at 0.4", "low": "held at 0.1", "wave": "the wave"}
    for row, (name, (kind, dashes)) in enumerate(CURVES.items()):
        y = 506 + 22 * row
        picture.line([(48, y - 5), (88, y - 5)], kind, 2.5, dashes)
        picture.text(98, y, f"{labels[name]}: held-out {ends[name]:.3f}", kind=kind)
    return picture
