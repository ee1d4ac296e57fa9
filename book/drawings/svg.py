"""What the drawings share: an SVG file, light and dark, and a chart with two axes.

A picture is 480 wide and its letters are 16 high, so that they are still 12 high on a phone that
is 360 wide. Colours have names; what they are depends on the reader's choice of light or dark.
"""

import math
import re
from xml.sax.saxutils import escape

WIDTH, SIZE = 480, 16
LIGHT = {"ink": "#1f2328", "grey": "#59636e", "pale": "#d8dee4", "paper": "#ffffff"}
LIGHT |= {"blue": "#0a63b0", "orange": "#b84c00", "green": "#00704f"}
DARK = {"ink": "#f0f6fc", "grey": "#9198a1", "pale": "#3d444d", "paper": "#0d1117"}
DARK |= {"blue": "#58a6ff", "orange": "#f0883e", "green": "#3fb9a0"}


def style(shades):
    """How each name of a colour looks: it fills letters and shapes, and draws paths."""
    filled = "".join(f".{name}{{fill:{colour}}}" for name, colour in shades.items())
    drawn = "".join(f"path.{name}{{stroke:{colour};fill:none}}" for name, colour in shades.items())
    return filled + drawn


class Picture:
    """A title and a description for those who do not see it, and lines of SVG."""

    def __init__(self, height, title, description):
        self.height, self.title, self.description = height, title, minus(description)
        self.lines = []

    def text(self, x, y, words, anchor="start", kind="ink", bold=False, mono=False):
        weight = ' font-weight="bold"' if bold else ""
        weight += ' font-family="monospace"' if mono else ""
        place = f'x="{x:.4g}" y="{y:.4g}" text-anchor="{anchor}"'
        self.lines.append(
            f'<text {place} class="{kind}"{weight}>{escape(minus(str(words)))}</text>'
        )

    def line(self, points, kind="ink", width=2, dashes=None):
        way = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        broken = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.lines.append(f'<path d="M{way}" class="{kind}" stroke-width="{width}"{broken}/>')

    def arrow(self, start, end, kind="ink", width=2, dashes=None):
        """A line with a head at its end."""
        self.line([start, end], kind, width, dashes)
        angle = math.atan2(end[1] - start[1], end[0] - start[0])
        ears = [angle + turn for turn in (2.7, -2.7)]
        points = [end] + [(end[0] + 10 * math.cos(a), end[1] + 10 * math.sin(a)) for a in ears]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.lines.append(f'<polygon points="{corners}" class="{kind}"/>')

    def box(self, x, y, width, height, kind="ink", share=1.0):
        """A rectangle; share: how much of its colour it has."""
        size = f'x="{x:.4g}" y="{y:.4g}" width="{width:.4g}" height="{height:.4g}"'
        self.lines.append(f'<rect {size} class="{kind}" fill-opacity="{share:.3g}"/>')

    def frame(self, x, y, width, height, kind="ink", stroke=2, dashes=None):
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
        self.line(corners, kind, stroke, dashes)

    def dot(self, x, y, kind="ink", radius=4):
        self.lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{kind}"/>')

    def cells(self, x, y, rows, cell=(44, 30), kind="blue", share=0.14, ink="ink"):
        """A table of words with its top left corner at x, y, a coloured box behind each."""
        wide, high = cell
        for i, row in enumerate(rows):
            for j, word in enumerate(row):
                left, top = x + j * wide, y + i * high
                self.box(left + 1, top + 1, wide - 2, high - 2, kind, share)
                self.text(left + wide / 2, top + high / 2 + 6, word, "middle", ink)

    def source(self, key):
        """The file. key: of all that it was drawn from."""
        size = f'viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}" height="{self.height}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"'
        return "\n".join(
            [
                f'{head} font-family="sans-serif" font-size="{SIZE}">',
                f"<!-- drawn from {key} -->",
                f"<title>{escape(self.title)}</title>",
                f"<desc>{escape(self.description)}</desc>",
                f"<style>{style(LIGHT)}",
                f"@media (prefers-color-scheme: dark){{{style(DARK)}}}</style>",
                f'<rect width="{WIDTH}" height="{self.height}" class="paper"/>',
                *self.lines,
                "</svg>\n",
            ]
        )


class Chart:
    """Two axes in a part of a picture. box: left, top, right, bottom; xs, ys: what lies there."""

    def __init__(self, picture, box, xs, ys, log_x=False, log_y=False):
        self.picture, self.box, self.xs, self.ys = picture, box, xs, ys
        self.scale_x, self.scale_y = (math.log if log else float for log in (log_x, log_y))

    def at(self, x, y):
        left, top, right, bottom = self.box
        low, high = map(self.scale_x, self.xs)
        across = (self.scale_x(x) - low) / (high - low)
        low, high = map(self.scale_y, self.ys)
        up = (self.scale_y(y) - low) / (high - low)
        return left + across * (right - left), bottom - up * (bottom - top)

    def x_marks(self, marks, form="{:g}", lines=False):
        for mark in marks:
            x, bottom = self.at(mark, self.ys[0])
            if lines:
                self.picture.line([(x, self.box[1]), (x, bottom)], "pale", 1)
            self.picture.text(x, bottom + 20, form.format(mark), "middle", "grey")

    def y_marks(self, marks, form="{:g}"):
        for mark in marks:
            left, y = self.at(self.xs[0], mark)
            self.picture.line([(left, y), (self.box[2], y)], "pale", 1)
            self.picture.text(left - 8, y + 5, form.format(mark), "end", "grey")

    def curve(self, points, kind, dashes=None, dots=False, width=2.5):
        places = [self.at(x, y) for x, y in points]
        self.picture.line(places, kind, width, dashes)
        for place in places if dots else ():
            self.picture.dot(*place, kind)

    def label(self, x, y, words, kind="ink", anchor="start", shift=(0, 0)):
        left, top = self.at(x, y)
        self.picture.text(left + shift[0], top + shift[1], words, anchor, kind)


def minus(words):
    """With the sign that is as wide as a plus in place of the hyphen."""
    return re.sub(r"(?<!\w)-(?=\d)", "−", words)
