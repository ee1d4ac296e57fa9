"""attention: on the solved puzzle, the equal shares of the average beside those of attention."""

from drawings.svg import Picture

AVERAGE = """
from engine.autograd import Value
from engine.ops import average
unit = [[Value(float(i == j)) for j in range(6)] for i in range(6)]
result = [share.data for share in average(unit)]
"""
PUZZLE = """
import random
from model.data import encode
from model.gpt import GPT
from model.puzzles import LEARNING_RATE, PUZZLES, answer_loss
from model.train import train
rng = random.Random(1)
puzzle, words = PUZZLES["place"]
model = GPT(rng)
train(model, [puzzle(rng) for _ in range(words)], LEARNING_RATE, loss_of=answer_loss)
result = {}
for word in ("badcw", "badcx", "badcy", "badcz"):
    model(encode(word)[:-1])
    result[word] = model.blocks[0].attn.looks[-1]
"""
RUNS = {"average": AVERAGE, "attention": PUZZLE}
WIDE, HIGH, LEFT = 54, 38, 132


def row(picture, top, name, shares):
    picture.text(LEFT - 12, top + 25, name, "end")
    for j, share in enumerate(shares):
        x = LEFT + WIDE * j
        picture.box(x + 1, top + 1, WIDE - 2, HIGH - 2, "blue", 0.08 + 0.55 * share)
        picture.text(x + WIDE / 2, top + 25, f"{share:.2f}", "middle")


def draw(equal, found):
    least = min(max(shares) for shares in found.values())
    words = (
        "Five rows of shares over the mark, the letters b, a, d, c and the letter that asks. The "
        f"average gives each {equal[0]:.2f}. Attention, trained on the puzzle, looks at b where w "
        "asks, at a for x, at d for y, at c for z, each time with a share of at least "
        f"{least:.2f}."
    )
    picture = Picture(334, "Equal shares, and shares by question", words)
    picture.text(8, 22, "whom the last letter of badc… listens to", bold=True)
    for j, letter in enumerate([*".badc", "itself"]):
        picture.text(LEFT + WIDE * (j + 0.5), 58, letter, "middle", "grey")
    row(picture, 68, "the average", equal)
    for i, (word, shares) in enumerate(found.items()):
        row(picture, 134 + HIGH * i, f"{word[-1]} asks", shares)
    picture.text(LEFT + 3 * WIDE, 314, "w: the first letter, x: the second, …", "middle", "grey")
    return picture
