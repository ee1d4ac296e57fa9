"""Draws where each letter of a name looks: python3 -m model.instruments.look anna"""

import argparse

from engine.autograd import no_grad
from model.data import LETTERS, batch
from model.services.checkpoint import load
from model.services.progress import fail, run_program

SHADES = " .:-=+*#%@"


def look(model, name):
    """A table a head, a row a letter; the darker a column, the more it looks there."""
    x, _ = batch([name])
    model.blocks[0].attn.watched = True
    with no_grad():
        model(x)
    lines = []
    for head, rows in enumerate(model.blocks[0].attn.looks[0]):
        lines += [f"head {head}", "  " + " ".join("." + name)]
        for t, letter in enumerate("." + name):
            shades = [SHADES[min(int(10 * p), 9)] for p in rows[t, : t + 1]]
            lines.append(f"{letter} {' '.join(shades)}".rstrip())
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="look", description=__doc__)
    parser.add_argument("name")
    options = parser.parse_args()
    try:
        model, characters = load()
        if characters != LETTERS:
            raise ValueError("weights: got a text's; expected make train ARGS='--data names'")
        print(look(model, options.name))
    except ValueError as error:
        fail(f"look: {error}")


if __name__ == "__main__":
    run_program(main)
