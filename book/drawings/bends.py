"""bends: tanh, relu and GELU with their slopes."""

from drawings.svg import Chart, Picture

RUN = """
from engine.autograd import Value
xs = [k / 10 for k in range(-40, 41)]
rows = {}
for name in ("tanh", "relu", "gelu"):
    made = [getattr(Value(x), name)() for x in xs]
    rows[name] = [[y.data for y in made], [y.slopes[0] for y in made]]
result = {"x": xs, "rows": rows}
"""
RUNS = {"block": RUN}
KINDS = {"tanh": ("blue", "8 4"), "relu": ("green", "2 4"), "gelu": ("orange", None)}


def draw(found):
    slopes = found["rows"]["gelu"][1]
    words = (
        "tanh, relu and GELU above, each from −4 to 4, and their slopes below: the slope of tanh "
        "is a hill with its top at 0, that of relu jumps from 0 to 1, that of GELU rises smoothly "
        f"from {min(slopes):.2f} to {max(slopes):.2f}."
    )
    picture = Picture(590, "Three bends and their slopes", words)
    for part, (title, top, high) in enumerate((("the bends", 22, 200), ("slopes", 306, 200))):
        picture.text(8, top, title, bold=True)
        ys = (-1, 4) if part == 0 else (-0.25, 1.25)
        chart = Chart(picture, (48, top + 20, 462, top + 20 + high), (-4, 4), ys)
        chart.y_marks(range(-1, 5) if part == 0 else (0, 0.5, 1))
        chart.x_marks(range(-4, 5, 2))
        for name, (kind, dashes) in KINDS.items():
            chart.curve(list(zip(found["x"], found["rows"][name][part])), kind, dashes)
    for x, (name, (kind, dashes)) in zip((48, 190, 332), KINDS.items()):
        picture.line([(x, 571), (x + 40, 571)], kind, 2.5, dashes)
        picture.text(x + 50, 576, "GELU" if name == "gelu" else name, kind=kind)
    return picture
