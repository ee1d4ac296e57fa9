"""The parts that the pictures of book/speed.py and book/growth.py have in common."""

WIDTH, HEIGHT, TOP = 840, 420, 20
COLOURS = ["#888", "#b07aa1", "#9c755f", "#edc948", "#59a14f", "#76b7b2", "#4e79a7", "#e15759"]


def figure(lines):
    """The whole SVG file around the lines of a drawing."""
    style = 'font-family="sans-serif" font-size="12"'
    first = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {style}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    return "\n".join([*first, *lines, "</svg>"]) + "\n"


def grid_line(left, right, y, label):
    return [
        f'<path d="M{left} {y}H{right}" stroke="#eee"/>',
        f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{label}</text>',
    ]


def polyline(points, colour):
    path = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
