"""backward: the section's two expressions as graphs, with data and grad at each node."""

from drawings.svg import Picture

RUN = """
from engine.autograd import Value
a, b, ten = Value(3.0), Value(-2.0), Value(10.0)
c = a * b
d = c + ten
d.backward()
first = {"a": a, "b": b, "c": c, "d": d, "10": ten}
first = {name: [node.data, node.grad, node.slopes] for name, node in first.items()}
a = Value(1.0)
b = a + a
c = b + b
c.backward()
second = {"a": a, "b": b, "c": c}
result = [first, {name: [node.data, node.grad, node.slopes] for name, node in second.items()}]
"""
RUNS = {"backward": RUN}
WIDE, HIGH = 84, 64


def node(picture, name, found, x, y):
    """A box with its middle at x, y: the name and the number above, the gradient below."""
    left, top = x - WIDE / 2, y - HIGH / 2
    number, grad = found[name][:2]
    picture.box(left, top, WIDE, HIGH / 2, "blue", 0.14)
    picture.box(left, top + HIGH / 2, WIDE, HIGH / 2, "orange", 0.18)
    picture.frame(left, top, WIDE, HIGH, "grey", 1)
    shown = f"{number:g}" if name == "10" else f"{name} = {number:g}"
    picture.text(x, y - 10, shown, "middle")
    picture.text(x, y + 22, f"grad {grad:g}", "middle", "orange", bold=True)


def hand(picture, start, end, slope, shift):
    """An arrow along which a gradient is handed back, with the slope beside it."""
    picture.arrow(start, end, "orange")
    x, y = (start[0] + end[0]) / 2 + shift[0], (start[1] + end[1]) / 2 + shift[1]
    picture.text(x, y, f"· {slope:g}", "middle", "orange")


def draw(found):
    one, two = found
    words = (
        "Two graphs, read from right to left. In the first d = c + 10 has the grad 1 and hands it "
        f"times 1 to c, which hands it times −2 to a and times 3 to b: the grads are "
        f"{one['a'][1]:g} and {one['b'][1]:g}. In the second b = a + a and c = b + b: "
        f"two arrows lead from c to b and two from b to a, and what arrives adds up, to "
        f"{two['b'][1]:g} at b and {two['a'][1]:g} at a."
    )
    picture = Picture(520, "Gradients handed back through two graphs", words)
    picture.text(8, 22, "c = a · b and d = c + 10", bold=True)
    places = {"a": (54, 92), "b": (54, 232), "c": (240, 162), "10": (426, 232), "d": (426, 112)}
    (right, down), (da, db), (dc, dten) = places["c"], one["c"][2], one["d"][2]
    hand(picture, (right - 46, down - 10), (102, 100), da, (6, -16))
    hand(picture, (right - 46, down + 10), (102, 224), db, (6, 30))
    hand(picture, (380, 120), (right + 48, down - 8), dc, (0, -16))
    hand(picture, (426, 146), (426, 196), dten, (26, 6))
    for name, place in places.items():
        node(picture, name, one, *place)
    picture.text(8, 318, "b = a + a and c = b + b: used twice,", bold=True)
    picture.text(8, 340, "so two shares arrive, and they add up", bold=True)
    for name, x in (("a", 54), ("b", 240), ("c", 426)):
        node(picture, name, two, x, 428)
    for x, name in ((380, "c"), (194, "b")):
        for rise, slope in zip((-18, 18), two[name][2]):
            hand(
                picture, (x, 428 + rise), (x - 92, 428 + rise), slope, (0, -10 if rise < 0 else 22)
            )
    picture.text(
        240, 502, "arrows: the grad times the slope is handed to a parent", "middle", "grey"
    )
    return picture
