"""Makes what is computed on the book's first pages: python3 book/front.py

Writes the table in STEPS.md, the list of steps and the numbers in README.md, and the picture above
them (book/front-light.svg, book/front-dark.svg), for the branch steps or, where there is none, the
newest release. Nothing is trained: losses and what the models write come from tests/expected.txt of
every step, speeds from book/speed.svg, ideas and races from STEPS.md. What goes where is marked in
the text, on lines of their own or inside one: <!-- made: its name -->…<!-- end -->.

Run it when the chain or an idea has changed, before a release: the diffs are linked by commit.
"""

import functools
import math
import re
import sys
from html import escape
from pathlib import Path

import transcripts
from common import (
    EXPECTED,
    ROOT,
    Problem,
    diff_sizes,
    git,
    read_chain,
    release_at,
)

MADE = re.compile(r"(<!-- made: ([\w ]+) -->).*?(<!-- end -->)", re.S)
# Fewer lines than this, blank ones not counted, at the end of an act: STEPS.md says so.
MOST_LINES = {"act-2": {"engine": 1200}, "act-3": {"engine": 1500, "kernels": 3000}}

WIDTH, HEIGHT = 840, 516
LEFT, RIGHT = 76, 798  # of the places for all steps
LOSSES, SPEEDS = (68, 254), (314, 466)  # top and bottom of the two rows
SHADES = {
    "light": {"paper": "#fff", "ink": "#1f2328", "grid": "#d8dee4", "count": "#59636e"}
    | {"loss": "#0969da", "speed": "#1a7f37", "floor": "#cf222e"},
    "dark": {"paper": "#0d1117", "ink": "#f0f6fc", "grid": "#30363d", "count": "#9198a1"}
    | {"loss": "#58a6ff", "speed": "#3fb950", "floor": "#ff7b72"},
}
COUNTED = {kind: f"counting {kind}" for kind in ("pairs", "triples", "fours")}
# Steps that are named in the picture, and where: so far to the right and below their dots.
NAMED_LOSSES = {"nudge": (0, -8), "average": (-8, 16), "adam": (0, 18), "batches": (-6, 16)}
NAMED_LOSSES |= {"stories": (14, 18), "float32": (-4, 18), "tokens": (22, -8), "close": (-6, -16)}
NAMED_SPEEDS = {"value": (20, 14), "backward": (6, -8), "hidden": (0, 18), "attention": (0, 18)}
NAMED_SPEEDS |= {"arrays": (6, 20), "batches": (-26, -6), "float32": (0, -8), "head": (0, -8)}


@functools.cache
def shown(commit, path, root):
    return git("show", f"{commit}:{path}", root=root)


def held_out(expected):
    """The loss on what is held out; from the step that has it on, in bits per byte."""
    if match := re.search(r"bits per byte ([\d.]+)", expected):
        return f"{match[1]} bits/byte"
    match = re.search(r"held-out ([\d.]+)", expected)
    return match[1] if match else "-"


def yardsticks(expected):
    """{kind: loss} of the line of make train that tells what counting reaches, and the floor."""
    line = re.search(r"^uniform .*$", expected, re.M)
    return {kind: float(loss) for kind, loss in re.findall(r"(\w+) ([\d.]+)", line[0])}


def written(expected):
    """What the trained model wrote: all that stands below the yardsticks."""
    return re.split(r"^uniform .*\n", expected, flags=re.M)[-1].strip()


def idea(step, book):
    found = re.search(
        rf'^<a id="{step.tag}"></a>\n(?:(?!<a id=).)*?^\*\*Idea\.\*\* (.+?)\n\n', book, re.M | re.S
    )
    return " ".join(found[1].split()) if found else ""


def words(step, book):
    found = re.search(rf'^<a id="{step.tag}"></a>\n.*?(?=^<a id="|\Z)', book, re.M | re.S)
    return len(found[0].split()) if found else 0


def seconds(step, loss, book, times):
    """The time of make train that the table has; where the loss is new, one of {tag: seconds}."""
    row = rf"^\| \[{step.tag}\].*?\| {re.escape(loss)} \| (\S+ s) \|"
    if kept := re.search(row, book, re.M):
        return kept[1]
    if step.tag not in times:
        raise Problem(f"{step.tag} has a new loss; expected its time: book/check.py --record")
    return f"{times[step.tag]:.1f} s"


def table(steps, expected, book, times, root=ROOT):
    """What a reader chooses a step by: idea, loss, times and the size of its diff, with a link."""
    rows = ["| step | idea | held-out | trains in | lines | reading | diff |"]
    rows.append("|---|---|---|---|---|---|---|")
    sizes = diff_sizes(steps, root)
    for step in steps:
        loss, lines = held_out(expected[step.tag]), sizes[step.number]
        minutes = -(-words(step, book) // 180) + -(-lines // 30)
        cells = [f"[{step.tag}](#{step.tag}) {step.title}", idea(step, book), loss]
        cells += [seconds(step, loss, book, times), str(lines), f"{minutes} min"]
        rows.append(f"| {' | '.join(cells)} | [diff](../../commit/{step.commit}) |")
    return "\n".join(rows)


def listed(steps, book):
    """A line a step: its title and its idea."""
    lines = []
    for step in steps:
        end = "" if step.title.endswith(("?", "!")) else "."
        link = f"[{step.number:02d}](STEPS.md#{step.tag})"
        lines.append(f"- {link} **{step.title}{end}** {idea(step, book)}")
    return "\n".join(lines)


def acts(steps):
    """[[step, …], …]: an act ends with the step that says so."""
    found = [[]]
    for step in steps:
        found[-1].append(step)
        if "Ends" in step.trailers:
            found.append([])
    return [act for act in found if act]


def races(book):
    """{size: our time / PyTorch's}, as the last race in the book printed it."""
    raced = re.findall(r"-m model\.instruments\.bench\b.*?\n(.*?)^```$", book, re.M | re.S)
    return dict(re.findall(r"^(\w+) B\d.*?^  ratio ([\d.]+)", raced[-1], re.M | re.S))


def code_lines(commit, folder, root=ROOT):
    """The lines of Python in a folder of a commit: formulas, comments, but no blank lines."""
    names = git("ls-tree", "-r", "--name-only", commit, "--", folder, root=root).split()
    texts = [shown(commit, name, root) for name in names if name.endswith(".py")]
    return sum(bool(line.strip()) for text in texts for line in text.splitlines())


def made(steps, expected, book, drawn, times, root=ROOT):
    """{name of a place: what belongs there}."""
    last, told = steps[-1], last_stories(steps, expected)
    report, ways = expected[told.tag], yardsticks(expected[told.tag])
    check_lines(steps, root)
    ratios = ", ".join(f"{ratio} ({size})" for size, ratio in races(book).items())
    blocks = {"table": table(steps, expected, book, times, root)}
    blocks["picture"] = picture(steps, expected, drawn)
    blocks["written"] = "\n".join(f"> {line}".rstrip() for line in written(report).splitlines())
    blocks["written"] += " …"
    blocks["log"] = (
        f"`git log {last.tag}` shows them as [one line of commits](../../commits/{last.commit}); "
        "`git log main`\nholds every earlier version of each step as well."
    )
    for number, act in enumerate(acts(steps), 1):
        blocks[f"act {number}"] = listed(act, book)
    found = {name: f"\n{text}\n" for name, text in blocks.items()}
    found |= {"steps": str(len(steps)), "last": told.tag}
    found |= {"weights": re.search(r"([\d,]+) weights", report)[1]}
    time = float(seconds(told, held_out(report), book, times).removesuffix(" s"))
    found |= {"time": f"{time:.0f} seconds", "tolerance": str(transcripts.TOLERANCE)}
    found |= {"loss": held_out(report).split()[0], "floor": str(ways["floor"])}
    found |= {"fours": str(ways["fours"]), "ratios": ratios}
    for folder in ("engine", "kernels"):
        found[folder] = str(code_lines(last.commit, folder, root))
    return found


def check_lines(steps, root=ROOT):
    ends = [step for step in steps if step.trailers.get("Ends") in MOST_LINES]
    for step in ends:
        for folder, most in MOST_LINES[step.trailers["Ends"]].items():
            if (lines := code_lines(step.commit, folder, root)) >= most:
                got = f"{lines} lines in {folder}/ at {step.tag}"
                raise Problem(f"got {got}; expected fewer than {most}")


def last_stories(steps, expected):
    """The last step whose make train trains on stories; only they have a floor."""
    return [step for step in steps if "floor" in yardsticks(expected[step.tag])][-1]


def losses(steps, expected):
    """({number: loss} on names in nats, {number: loss} on stories in bits per byte).

    Where kernels train, they train on names again, and their losses stand in the table alone.
    """
    stories = next(step.number for step in steps if step.slug == "stories")
    last = last_stories(steps, expected).number
    names, rest = {}, {}
    for step in steps:
        loss, *unit = held_out(expected[step.tag]).split()
        if step.number < stories:
            names[step.number] = float(loss)
        elif step.number <= last:  # a character of the stories is a byte
            rest[step.number] = float(loss) / (1 if unit else math.log(2))
    return names, rest


def picture(steps, expected, drawn):
    """How README shows the picture, with words for those who do not see it."""
    names, stories = losses(steps, expected)
    ways = yardsticks(expected[last_stories(steps, expected).tag])
    rates = speeds(drawn, steps)
    act1 = acts(steps)[0][-1]
    hundreds = int(rates[max(rates)] / rates[act1.number] // 100 * 100)
    ends = [
        f"step-{number:02d}" for found in (names, stories) for number in (min(found), max(found))
    ]
    alternative = (
        "Two charts over all steps. Above, the loss on text that the model has not seen. For names "
        f"it goes from {names[min(names)]:.2f} nats a letter at {ends[0]} to "
        f"{names[max(names)]:.2f} at {ends[1]}; counting triples of letters reaches "
        f"{yardsticks(expected[ends[1]])['triples']:.2f}. For stories it goes from "
        f"{stories[min(stories)]:.2f} bits per byte at {ends[2]} to {stories[max(stories)]:.2f} at "
        f"{ends[3]}; counting fours reaches {ways['fours']:.2f}, and {ways['floor']} is the "
        f"floor, below which no model can go. Below, how many letters of names a step learns from "
        f"in a second: at {steps[max(rates)].tag} more than {hundreds} times as many as at "
        f"{act1.tag}, where act I ends."
    )
    return (
        '<picture>\n<source media="(prefers-color-scheme: dark)" srcset="book/front-dark.svg">\n'
        f'<img src="book/front-light.svg" width="{WIDTH}" alt="{alternative}">\n</picture>'
    )


def speeds(drawn, steps):
    """{number: characters/s}, read off the heights in the picture that book/speed.py has drawn.

    Raises Problem where it shows other steps.
    """
    grid = re.findall(r'<path d="M[\d.]+ ([\d.]+)H.*\n<text.*>([\d,]+)</text>', drawn)
    (low, least), (high, most) = [
        (float(y), math.log10(int(speed.replace(",", "")))) for y, speed in (grid[0], grid[-1])
    ]
    dots = re.findall(r'<circle cx="[\d.]+" cy="([\d.]+)".*\n<text.*>((\d\d) [\w-]+)</text>', drawn)
    known = {f"{step.number:02d} {step.slug}" for step in steps}
    for _, name, _ in dots:
        if name not in known:
            got = f"step {name} in book/speed.svg"
            raise Problem(f"got {got}; expected the steps of the chain: book/speed.py")
    share = {int(number): (low - float(y)) / (low - high) for y, _, number in dots}
    return {number: 10 ** (least + s * (most - least)) for number, s in share.items()}


class Drawing:
    """The lines of an SVG file, whose steps stand side by side."""

    def __init__(self, steps):
        self.steps = steps
        self.lines = []

    def x(self, number):
        return round(LEFT + (number + 0.5) / len(self.steps) * (RIGHT - LEFT), 1)

    def text(self, x, y, words, anchor="middle", kind="ink"):
        self.lines.append(
            f'<text x="{x}" y="{y}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>'
        )

    def across(self, first, last, y, kind):
        half = (RIGHT - LEFT) / len(self.steps) / 2
        left, right = round(self.x(first) - half, 1), round(self.x(last) + half - 6, 1)
        self.lines.append(f'<path d="M{left} {y}H{right}" class="line {kind}"/>')
        return left, right

    def curve(self, heights, kind, named):
        """Dots at {number: height}, joined, some with the names of their steps."""
        points = [(self.x(number), y) for number, y in heights.items()]
        path = " ".join(f"{x},{y}" for x, y in points)
        self.lines.append(f'<polyline points="{path}" class="line {kind}"/>')
        self.lines += [f'<circle cx="{x}" cy="{y}" r="2.6" class="{kind}"/>' for x, y in points]
        for step in self.steps:
            if step.slug in named and step.number in heights:
                right, down = named[step.slug]
                y = round(heights[step.number] + down, 1)
                self.text(round(self.x(step.number) + right, 1), y, step.slug, kind=kind)


def height(value, marks, row, scale):
    """Where a value stands in a row whose bottom and top are the first and the last mark."""
    low, high = scale(marks[0]), scale(marks[-1])
    top, bottom = row
    return round(bottom - (scale(value) - low) / (high - low) * (bottom - top), 1)


def tenths(numbers):
    low, high = math.floor(min(numbers) * 10), math.ceil(max(numbers) * 10)
    return [n / 10 for n in range(low, high + 1)]


def powers(base, numbers):
    low, high = (math.log(limit(numbers), base) for limit in (min, max))
    return [base**n for n in range(math.floor(low), math.ceil(high) + 1)]


def draw_losses(drawing, found, ways, title, choose_marks, scale):
    """One plot: the losses found, and as lines across what counting reaches, and the floor."""
    first, last = min(found), max(found)
    ways = {kind: ways[kind] for kind in (*COUNTED, "floor") if kind in ways}
    marks = choose_marks([*found.values(), *ways.values()])
    for mark in marks:
        y = height(mark, marks, LOSSES, scale)
        left, right = drawing.across(first, last, y, "grid")
        x, anchor = (left - 6, "end") if first == 0 else (right + 6, "start")
        drawing.text(x, y + 4, f"{mark:g}", anchor)
    drawing.text(left, LOSSES[0] - 12, title, "start", "loss")
    for kind, loss in ways.items():
        y = height(loss, marks, LOSSES, scale)
        style, down = ("floor", 14) if kind == "floor" else ("count", -4)
        _, right = drawing.across(first, last, y, f"{style} dashed")
        label = COUNTED.get(kind, "the floor: no model can be better")
        drawing.text(right, round(y + down, 1), label, "end", style)
    heights = {number: height(loss, marks, LOSSES, scale) for number, loss in found.items()}
    drawing.curve(heights, "loss", NAMED_LOSSES)


def draw_speeds(drawing, found):
    marks = powers(10, found.values())
    for mark in marks:
        y = height(mark, marks, SPEEDS, math.log)
        left, _ = drawing.across(0, len(drawing.steps) - 1, y, "grid")
        drawing.text(left - 6, y + 4, f"{mark:,}", "end")
    heights = {number: height(speed, marks, SPEEDS, math.log) for number, speed in found.items()}
    drawing.curve(heights, "speed", NAMED_SPEEDS)


def draw(steps, expected, drawn, shade):
    """The picture: losses above, speeds below. drawn: book/speed.svg; shade: colours by name."""
    drawing = Drawing(steps)
    names, stories = losses(steps, expected)
    plots = [(names, "of names, in nats a letter", tenths, float)]
    stories_title = "of stories, in bits per byte; each line is twice the one below"
    plots.append((stories, stories_title, functools.partial(powers, 2), math.log))
    drawing.text(LEFT, 24, "Loss on text that the model has not seen: lower is better", "start")
    for found, title, choose_marks, scale in plots:
        ways = yardsticks(expected[steps[max(found)].tag])
        draw_losses(drawing, found, ways, title, choose_marks, scale)
    title = "Letters of the names learnt from in a second: higher is better; a line is ten times"
    drawing.text(LEFT, SPEEDS[0] - 14, f"{title} the one below", "start")
    draw_speeds(drawing, speeds(drawn, steps))
    for number in range(0, len(steps), 5):
        drawing.text(drawing.x(number), SPEEDS[1] + 18, f"{number:02d}")
    for number, act in enumerate(acts(steps), 1):
        middle = (drawing.x(act[0].number) + drawing.x(act[-1].number)) / 2
        drawing.text(round(middle, 1), SPEEDS[1] + 38, f"steps of act {'I' * number}")
    return "\n".join([*opening(shade), *drawing.lines, "</svg>"]) + "\n"


def opening(shade):
    style = [f"text {{ font: 12px sans-serif; fill: {shade['ink']} }}"]
    style += [f"rect {{ fill: {shade['paper']} }}", ".line { fill: none; stroke-width: 1.5 }"]
    style += [".dashed { stroke-dasharray: 4 4 }"]
    for kind in ("grid", "count", "loss", "speed", "floor"):
        style.append(f".line.{kind} {{ stroke: {shade[kind]} }}")
        style.append(f"text.{kind}, circle.{kind} {{ fill: {shade[kind]} }}")
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        "<style>",
        *style,
        "</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}"/>',
    ]


def filled(text, found):
    """The text with each marked place as it must be; a place that nobody makes stays as it is."""
    return MADE.sub(lambda m: m[1] + found.get(m[2], m[0][len(m[1]) : -len(m[3])]) + m[3], text)


def pages(folder, steps, root=ROOT, times=None):
    """{path: its text as it must be} for the pages of the book that lies in `folder`."""
    folder = Path(folder)
    texts = {name: (folder / name).read_text() for name in ("README.md", "STEPS.md")}
    drawn = (folder / "book/speed.svg").read_text()
    expected = {step.tag: shown(step.commit, EXPECTED, root) for step in steps}
    found = made(steps, expected, texts["STEPS.md"], drawn, times or {}, root)
    places = {match[2] for text in texts.values() for match in MADE.finditer(text)}
    if places != set(found):
        odd = sorted(places ^ set(found))
        raise Problem(f"got {odd} in the pages alone or made alone; expected each place filled")
    result = {name: filled(text, found) for name, text in texts.items()}
    for name, shade in SHADES.items():
        result[f"book/front-{name}.svg"] = draw(steps, expected, drawn, shade)
    return result


def stale(folder, steps, root=ROOT):
    """What on the first pages is out of date, a line a file."""
    try:
        result = pages(folder, steps, root)
    except Problem as problem:
        return [f"the first pages: {problem}"]
    found = {path: Path(folder) / path for path in result}
    old = [p for p, place in found.items() if not place.exists() or place.read_text() != result[p]]
    return [f"{path} is out of date; expected python3 book/front.py" for path in old]


def newest_chain(root=ROOT):
    """The steps of the branch steps; where there is none, of the newest release."""
    tip = git("rev-parse", "--verify", "-q", "refs/heads/steps", root=root, check=False).strip()
    return read_chain(tip or release_at("HEAD", root)[1], root)


def write_pages(root=ROOT, times=None):
    """Writes the first pages. times: {tag: seconds} of trainings that the table may need."""
    for path, text in pages(root, newest_chain(root), root, times).items():
        (root / path).write_text(text)


def main():
    try:
        write_pages()
        return 0
    except Problem as problem:
        print(f"front.py: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
