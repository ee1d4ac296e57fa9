"""Draws pictures of act I from runs of its steps: python3 book/pictures.py [--candidate] [name …]

bends: tanh, relu and GELU with their slopes, by the Value of the block step.
letters: the 26 letters of the embedding step after its make train, on the plane in which their
vectors spread most. place: where the four heads of a model look that has solved that puzzle.
Each becomes book/NAME.svg. Without names all are drawn, in about two minutes.
"""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

from common import PINNED, ROOT, Problem, chosen_chain, run_program, sandbox

INK, BLUE, RED, GREEN, PALE = "#888", "#4e79a7", "#e15759", "#59a14f", "#88888833"

BENDS = """
from engine.autograd import Value
xs = [k / 20 for k in range(-80, 81)]
rows = {}
for name in ("tanh", "relu", "gelu"):
    made = [getattr(Value(x), name)() for x in xs]
    rows[name] = [[y.data for y in made], [y.slopes[0] for y in made]]
result = {"x": xs, "rows": rows}
"""
LETTERS = """
import random
from model.data import LETTERS, NAMES_FILE, read_names, split
from model.gpt import GPT
from model.train import train
model = GPT(random.Random(2))
train(model, split(read_names(NAMES_FILE))[0], 0.1)
result = {LETTERS[x]: [w.data for w in row] for x, row in enumerate(model.tok_emb)}
"""
PUZZLE = """
import random
from model.data import encode
from model.gpt import GPT
from model.puzzles import LEARNING_RATE, PUZZLES, answer_loss
from model.train import train
rng = random.Random({seed})
puzzle, words = PUZZLES["{name}"]
model = GPT(rng)
train(model, [puzzle(rng) for _ in range(words)], LEARNING_RATE, loss_of=answer_loss)
rows = []
for word in {shown}:
    model(encode(word))
    rows.append([word, [head[len(word)] for head in model.blocks[0].attn.looks]])
result = rows
"""


def ran(slug, code, words):
    """What `code` leaves in `result`, run in the folder of a step."""
    step = next(step for step in chosen_chain(words) if step.slug == slug)
    with tempfile.TemporaryDirectory() as scratch:
        here = sandbox(step.commit, Path(scratch) / "code", ROOT)
        code = f"{code}\nimport json\nprint(json.dumps(result))\n"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=here,
            env=PINNED,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
    return json.loads(done.stdout)


def picture(width, height, lines):
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
    return "\n".join(
        [f'{head} font-family="sans-serif" font-size="13" fill="{INK}">', *lines, "</svg>\n"]
    )


def text(x, y, words, anchor="start", colour=INK):
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'
    )


def line(points, colour, dashes=""):
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="M{way}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'


def bends(words):
    found = ran("block", BENDS, words)
    lines = []
    for place, (title, part) in enumerate((("the bends", 0), ("their slopes", 1))):
        left = 20 + 420 * place
        lines.append(text(left, 16, title))
        lines.append(line([(left, 210), (left + 380, 210)], PALE))
        lines.append(line([(left + 190, 24), (left + 190, 260)], PALE))
        for level in (-1, 1, 2, 3):
            if level < 2 or part == 0:
                lines.append(text(left + 186, 214 - 45 * level, str(level), "end"))
        for name, colour in (("tanh", BLUE), ("relu", GREEN), ("gelu", RED)):
            rows = zip(found["x"], found["rows"][name][part])
            lines.append(line([(left + 190 + 47 * x, 210 - 45 * y) for x, y in rows], colour))
    for x, (name, colour) in zip((20, 90, 160), (("tanh", BLUE), ("relu", GREEN), ("GELU", RED))):
        lines.append(text(x, 280, name, colour=colour))
    lines.append(text(230, 280, "x from −4 to 4"))
    return picture(840, 290, lines)


def plane(rows):
    """Each row's two coordinates along the directions in which the rows spread most.

    Power iteration: a vector multiplied by the table of products again and again turns towards
    its widest direction; the second is found in what the first leaves.
    """
    size = len(rows[0])
    means = [sum(row[c] for row in rows) / len(rows) for c in range(size)]
    rest = [[w - m for w, m in zip(row, means)] for row in rows]
    axes = []
    for _ in range(2):
        axis = [1.0 + c for c in range(size)]
        for _ in range(300):
            shadows = [sum(w * a for w, a in zip(row, axis)) for row in rest]
            axis = [sum(s * row[c] for s, row in zip(shadows, rest)) for c in range(size)]
            length = math.sqrt(sum(a * a for a in axis))
            axis = [a / length for a in axis]
        shadows = [sum(w * a for w, a in zip(row, axis)) for row in rest]
        rest = [[w - s * a for w, a in zip(row, axis)] for s, row in zip(shadows, rest)]
        axes.append(shadows)
    return list(zip(*axes))


def letters(words):
    table = ran("embedding", LETTERS, words)
    table.pop(".")
    places = dict(zip(table, plane(list(table.values()))))
    widest = max(max(abs(x), abs(y) * 2.2) for x, y in places.values())
    lines = [text(20, 16, "where the vectors of the letters lie; vowels red")]
    for letter, (x, y) in places.items():
        colour = RED if letter in "aeiou" else BLUE
        at = 420 + 395 * x / widest, 205 - 395 * y / widest
        lines.append(f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="11" fill="{colour}33"/>')
        lines.append(text(round(at[0], 1), round(at[1] + 4, 1), letter, "middle", colour))
    return picture(840, 410, lines)


def looks(name, seed, shown, words):
    """For each word a table: a row a head, a column a letter, dark where the head looks."""
    found = ran("heads", PUZZLE.format(name=name, seed=seed, shown=shown), words)
    lines, cell = [], 26
    for number, (word, heads) in enumerate(found):
        left = 80 + number % 3 * 260
        top = 40 + number // 3 * (cell * (len(heads) + 2))
        for column, letter in enumerate("." + word):
            lines.append(text(left + cell * (column + 0.5), top - 8, letter, "middle"))
        for row, shares in enumerate(heads):
            if number % 3 == 0:
                lines.append(text(left - 10, top + cell * (row + 0.65), f"head {row}", "end"))
            for column, share in enumerate(shares):
                x, y = left + cell * column, top + cell * row
                box = f'x="{x}" y="{y}" width="{cell - 2}" height="{cell - 2}"'
                lines.append(f'<rect {box} fill="{INK}" fill-opacity="0.12"/>')
                lines.append(f'<rect {box} fill="{BLUE}" fill-opacity="{share:.2f}"/>')
    rows = -(-len(found) // 3)
    return picture(840, 30 + rows * cell * (len(found[0][1]) + 2), lines)


PICTURES = {
    "bends": bends,
    "letters": letters,
    "place": lambda words: looks(
        "place", 1, ["abcdw", "abcdx", "abcdy", "abcdz", "dbcaw", "dbcaz"], words
    ),
}


def main(words):
    options = [word for word in words if word == "--candidate"]
    wanted = [word for word in words if word not in options] or list(PICTURES)
    if not set(wanted) <= PICTURES.keys():
        raise Problem(f"got '{' '.join(wanted)}'; expected {', '.join(PICTURES)}")
    for name in wanted:
        drawing = PICTURES[name](options)
        (ROOT / f"book/{name}.svg").write_text(drawing)
        print(f"book/{name}.svg {len(drawing):,} bytes")


if __name__ == "__main__":
    run_program(main)
