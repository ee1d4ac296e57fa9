"""flash: a row of softmax, mended while keys stream past: maximum and sum, block by block."""

from drawings.svg import Chart, Picture

RUN = """
import numpy as np
from kernels.attention import attention_forward, config
from kernels.device import put
H, D, t = 3, 8, 199
qkv = np.random.default_rng(1).standard_normal((2, 200, 3 * H * D)).astype(np.float32)
_, (_, lse) = attention_forward(put(qkv), H)
q, k = qkv[0, t, :D].astype(float), qkv[0, :, H * D : H * D + D].astype(float)
scores = k @ q / np.sqrt(D)
block, most, total, turns = config("forward", D)["BLOCK_S"], -1e38, 0.0, []
for start in range(0, t + 1, block):
    part = scores[start : start + block]
    new = max(most, part.max())
    mend = np.exp(most - new)
    total = total * mend + np.exp(part - new).sum()
    most = new
    turns.append([start, start + len(part), mend, most, total])
ours, kernel = most + np.log(total), float(lse.numpy()[0, 0, t])
assert abs(ours - kernel) < 1e-4, (ours, kernel)
result = {"scores": scores.tolist(), "turns": turns, "lse": kernel}
"""
RUNS = {"flash": RUN}


def draw(found):
    scores, turns = found["scores"], found["turns"]
    mended = [turn for turn in turns[1:] if turn[2] < 1]
    words = (
        f"A real row of {len(scores)} scores, seen in {len(turns)} blocks. Above, the scores as "
        "dots and the highest so far as a line, which rises in the first block and in "
        f"{len(mended)} later ones. Below, the sum of exp(score − highest) after each block: where "
        "the highest has risen, what was summed up before is first made smaller. The log of the "
        f"sum of exp at the end is {found['lse']:.3f}, as the kernel has stored it."
    )
    high = max(scores) + 0.5
    picture = Picture(560, "Softmax of a row, while it streams past", words)
    picture.text(8, 22, "scores, and the highest so far", bold=True)
    low = min(scores) - 0.5
    chart = Chart(picture, (48, 40, 462, 230), (0, len(scores)), (low, high))
    chart.y_marks(range(int(low), int(high) + 1, 2))
    for s, score in enumerate(scores):
        x, y = chart.at(s + 0.5, score)
        picture.dot(x, y, "grey", 1.8)
    before = None
    for start, end, _, most, _ in turns:
        if before is not None:
            chart.curve([(start, before), (start, most)], "orange")
        chart.curve([(start, most), (end, most)], "orange", width=3)
        before = most
    picture.text(8, 276, "total, block by block", bold=True)
    top = max(turn[4] for turn in turns) * 1.1
    chart = Chart(picture, (48, 294, 462, 466), (0, len(scores)), (0, top))
    chart.y_marks(range(0, int(top) + 1, 2 if top > 6 else 1))
    chart.x_marks([turn[0] for turn in turns])
    before = 0.0
    for start, end, mend, _, total in turns:
        (left, ground), (right, _) = chart.at(start, 0), chart.at(end, 0)
        kept, whole = chart.at(start, before * mend)[1], chart.at(start, total)[1]
        picture.box(left + 2, kept, right - left - 4, ground - kept, "blue", 0.35)
        picture.box(left + 2, whole, right - left - 4, kept - whole, "blue", 0.9)
        if before and mend < 1:
            picture.text((left + right) / 2, whole - 8, f"· {mend:.2f}", "middle", "orange")
        before = total
    picture.text(255, 506, "keys, in blocks of 32", "middle", "grey")
    picture.text(255, 530, "faint: kept from before, times mend (orange);", "middle", "grey")
    picture.text(255, 550, "strong: what the block adds", "middle", "grey")
    return picture
