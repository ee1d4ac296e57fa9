"""place: where the four heads of a model look that has solved that puzzle."""

from drawings.svg import Picture

RUN = """
import random
from model.data import encode
from model.gpt import GPT
from model.puzzles import LEARNING_RATE, PUZZLES, answer_loss
from model.train import train
rng = random.Random(1)
puzzle, words = PUZZLES["place"]
model = GPT(rng)
train(model, [puzzle(rng) for _ in range(words)], LEARNING_RATE, loss_of=answer_loss)
result = []
for word in ("abcdw", "abcdx", "abcdy", "abcdz", "dbcaw", "dbcaz"):
    model(encode(word)[:-1])
    result.append([word, [head[-1] for head in model.blocks[0].attn.looks]])
"""
RUNS = {"heads": RUN}
CELL = 26


def draw(found):
    words = (
        "Six tables, one for each word, with a row for each of four heads and a column for each "
        "letter, blue where the last letter looks with that head."
    )
    high = CELL * (len(found[0][1]) + 2)
    picture = Picture(30 + 3 * high, "Where four heads look", words)
    picture.text(8, 22, "where the last letter looks: blue is much", bold=True)
    for number, (word, heads) in enumerate(found):
        left, top = 92 + number % 2 * 206, 62 + number // 2 * high
        for column, letter in enumerate("." + word):
            picture.text(left + CELL * (column + 0.5), top - 8, letter, "middle", "grey")
        for row, shares in enumerate(heads):
            if number % 2 == 0:
                picture.text(left - 12, top + CELL * (row + 0.7), f"head {row}", "end")
            for column, share in enumerate(shares):
                place = left + CELL * column, top + CELL * row, CELL - 2, CELL - 2
                picture.box(*place, "grey", 0.12)
                picture.box(*place, "blue", share)
    return picture
