"""nudge: the loss along one weight is a valley, and three learning rates walk in it."""

from drawings.svg import Chart, Picture

RUN = """
from engine.nudge import nudge
from model.data import LETTERS, NAMES_FILE, pairs, read_names, split
from model.gpt import cross_entropy
followers = [y for x, y in pairs(split(read_names(NAMES_FILE))[0]) if LETTERS[x] == "q"]
u = LETTERS.index("u")
row = [0.0] * len(LETTERS)

def loss(weights):
    row[u] = weights[0]
    return sum(cross_entropy(row, y) for y in followers) / len(followers)

walks = {}
for rate in RATES:
    w, walks[rate] = -3.0, [[-3.0, loss([-3.0])]]
    for _ in range(4):
        w -= rate * nudge(loss, [w])[0]
        walks[rate].append([w, loss([w])])
result = {"followers": len(followers), "u": followers.count(u) / len(followers)}
result |= {"curve": [[k / 10, loss([k / 10])] for k in range(-100, 121, 2)], "walks": walks}
"""
RATES = (0.5, 5, 25)
RUNS = {"nudge": f"RATES = {RATES}\n{RUN}"}
KINDS = ("green", "blue", "orange")
ANCHORS, SHIFTS = ("start", "middle", "end"), ((10, -6), (0, -28), (-10, 14))


def draw(found):
    ends = [found["walks"][str(rate)][-1] for rate in RATES]
    words = (
        f"The loss on the {found['followers']} letters after q, of which {found['u']:.0%} are u, "
        "along the weight of the pair qu: a valley whose lowest point is at 3. Three walks of four "
        f"steps start at −3. At the learning rate {RATES[0]} the walk has come to "
        f"{ends[0][0]:.1f}; at {RATES[1]} it is at {ends[1][0]:.1f} and rests; at "
        f"{RATES[2]} it hops from one side to the other and ends at {ends[2][0]:.1f}."
    )
    picture = Picture(640, "The valley of the loss, and three learning rates", words)
    for place, (rate, kind) in enumerate(zip(RATES, KINDS)):
        top = 34 + 204 * place
        chart = Chart(picture, (36, top, 456, top + 140), (-10, 12), (2, 8.2))
        kinds = ("too small", "about right", "too large")
        picture.text(8, top - 14, f"learning rate {rate}: {kinds[place]}", kind=kind, bold=True)
        chart.y_marks((2, 4, 6, 8))
        chart.x_marks((-8, -4, 0, 4, 8, 12) if place == 2 else (), "{}")
        chart.curve([(w, loss) for w, loss in found["curve"] if loss <= 8.2], "grey", width=2)
        walk = found["walks"][str(rate)]
        chart.curve(walk, kind, "3 4", dots=True, width=1.5)
        chart.label(*walk[0], "start", kind, "end", (-8, 16))
        chart.label(*walk[-1], "after 4 steps", kind, ANCHORS[place], SHIFTS[place])
    picture.text(246, 624, "the weight of qu; upwards the loss after q", "middle", "grey")
    return picture
