"""positions: the scores of all letters for all letters, the mask, and the shares that are left."""

from drawings.svg import Picture

RUN = """
import random
from model import gpt
from model.data import NAMES_FILE, encode, read_names, split
from model.train import train
model = gpt.GPT(random.Random(2))
train(model, split(read_names(NAMES_FILE))[0], 0.005, passes=2)
seen, kept = [], gpt.where
gpt.where = lambda past, scores, other: seen.append(scores.data) or kept(past, scores, other)
model(encode("anna")[:-1])
shares = model.blocks[0].attn.looks
head = max(range(len(shares)), key=lambda h: shares[h][-1].max())
scores = seen[0][head] / (16 // len(shares)) ** 0.5
result = {"scores": scores.tolist(), "shares": shares[head].tolist(), "head": head}
"""
RUNS = {"positions": RUN}
WORD = ".anna"


def draw(found):
    scores, shares, last = found["scores"], found["shares"], found["shares"][-1]
    top = max(range(len(last)), key=last.__getitem__)
    words = (
        "Two tables with a row for each letter of .anna that asks and a column for each letter "
        "that is asked. Above the scores, with the mask as a triangle over the upper right: "
        "there stands minus infinity. Below the shares: 0 in the triangle, 1 for the mark, "
        f"which sees only itself, and in the last row {last[top]:.2f} for "
        f"{'the mark' if top == 0 else WORD[top]}."
    )
    picture = Picture(546, "The mask as a triangle", words)
    high, wide, left = 38, 82, 50
    for name, top_edge in (("scores, divided by √D", 76), ("shares: softmax of each row", 346)):
        picture.text(8, top_edge - 48, name, bold=True)
        for i, letter in enumerate(WORD):
            picture.text(left - 14, top_edge + high * i + 25, letter, "end", "grey")
            picture.text(left + wide * (i + 0.5), top_edge - 10, letter, "middle", "grey")
            for j in range(len(WORD)):
                x, y = left + wide * j, top_edge + high * i
                share = shares[i][j]
                if j > i:
                    picture.box(x + 1, y + 1, wide - 2, high - 2, "orange", 0.22)
                    word = "−∞" if name.startswith("scores") else "0"
                else:
                    strength = 0.08 if name.startswith("scores") else 0.08 + 0.55 * share
                    picture.box(x + 1, y + 1, wide - 2, high - 2, "blue", strength)
                    word = f"{scores[i][j]:.1f}"
                    word = word if name.startswith("scores") else f"{share:.2f}"
                picture.text(x + wide / 2, y + 25, word, "middle", "orange" if j > i else "ink")
        corners = [(i, j) for i in range(len(WORD)) for j in (i, i + 1)]
        stairs = [(left + wide * j, top_edge + high * i) for i, j in corners]
        picture.line([*stairs, (left + wide * 5, top_edge + high * 5)], "orange", 3)
    return picture
