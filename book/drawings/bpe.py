"""bpe: a sentence in bytes, after 64 merges, and after 512."""

from drawings.svg import Picture

RUN = """
from model.stories import generate
from model.tokenizer import learn
text = generate(seed=1, size=1_000_000).encode()
seen, held_out = text[:900_000], text[900_000:]
start = held_out.index(b". ") + 2
sentence = held_out[start : held_out.index(b".", start) + 1]
stages = []
for count in (0, 64, 512):
    tokenizer = learn(seen, count)
    pieces = [tokenizer.pieces[token].decode() for token in tokenizer.encode(sentence)]
    stages.append([len(tokenizer.merges), pieces])
result = {"sentence": sentence.decode(), "stages": stages}
result["first"] = [tokenizer.pieces[256 + k].decode() for k in range(9)]
"""
RUNS = {"bpe": RUN}


def draw(found):
    sentence, stages = found["sentence"], found["stages"]
    counts = [f"{len(pieces)} after {merges} merges" for merges, pieces in stages[1:]]
    words = (
        f"The sentence “{sentence}”, which was not learnt from, cut into pieces three times: "
        f"{len(stages[0][1])} bytes, then pieces: {counts[0]}, {counts[1]}. Common words such as "
        "she and with are whole early; lynx is in single letters even at the end. Dots stand for "
        f"spaces. The first merges are {', '.join(shown(each) for each in found['first'][:8])}."
    )
    picture = Picture(396, "A sentence cut into its pieces, as merges grow", words)
    y = 8
    for merges, pieces in stages:
        title = f"{merges} merges: {len(pieces)} pieces" if merges else f"{len(pieces)} bytes"
        picture.text(8, y + 18, title, bold=True)
        x, y = 8, y + 30
        for number, piece in enumerate(pieces):
            wide = 10 * len(piece) + 10
            if x + wide > 474:
                x, y = 8, y + 36
            kind = ("blue", "orange")[number % 2]
            picture.box(x, y, wide - 3, 30, kind, 0.2)
            picture.text(x + wide / 2 - 1.5, y + 20, shown(piece), "middle", kind, mono=True)
            x += wide
        y += 52
    picture.text(8, y + 16, "the first merges:", kind="grey")
    picture.text(154, y + 16, " ".join(shown(each) for each in found["first"]), mono=True)
    picture.height = y + 30
    return picture


def shown(piece):
    return piece.replace(" ", "·")
