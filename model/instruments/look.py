"""Draws where each token of a text looks: python3 -m model.instruments.look anna"""

import argparse

import numpy as np

from engine.autograd import no_grad
from model.services.checkpoint import load
from model.services.progress import fail, run_program

SHADES = " .:-=+*#%@"


def look(model, tokenizer, text):
    """A table a head, a row a token; the darker a column, the more it looks there.

    Of a token's piece, the first letter is shown; of white space "_".
    """
    tokens = tokenizer.start(text)
    model.blocks[0].attn.watched = True
    with no_grad():
        model(np.array([tokens]))
    pieces = [tokenizer.pieces[token].decode(errors="replace") for token in tokens]
    letters = [(piece.strip() or "_")[0] for piece in pieces]
    lines = []
    for head, rows in enumerate(model.blocks[0].attn.looks[0]):
        lines += [f"head {head}", "  " + " ".join(letters)]
        for t, letter in enumerate(letters):
            shades = [SHADES[min(int(10 * p), 9)] for p in rows[t, : t + 1]]
            lines.append(f"{letter} {' '.join(shades)}".rstrip())
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="look", description=__doc__)
    parser.add_argument("text")
    options = parser.parse_args()
    try:
        model, tokenizer = load()
        print(look(model, tokenizer, options.text))
    except ValueError as error:
        fail(f"look: {error}")


if __name__ == "__main__":
    run_program(main)
