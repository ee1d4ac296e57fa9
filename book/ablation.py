"""What each part of the GPT of act I is worth: python3 book/ablation.py [--candidate]

Takes act-1 (with --candidate that of the branch steps) and runs its training six times, with its
own defaults: whole, with one head, without adding (each part replaces what was there), without
LayerNorm, without the MLP, and whole again from other first weights, which says how much luck is
in such a number. Writes the table into STEPS.md, between `<!-- ablation -->` and
`<!-- end ablation -->`. Two runs at a time; about ten minutes.
"""

import contextlib
import io
import random
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common import PINNED, ROOT, Problem, act_end, run_program, sandbox

ACT = "act-1"
PARTS = {
    "whole": "the whole model",
    "heads": "one head in place of four",
    "residual": "nothing added: each part replaces what was there",
    "layernorm": "no LayerNorm",
    "mlp": "no MLP",
    "seed1": "the whole model, other first weights",
}


def train_without(part):
    """Runs inside the step's folder; prints weights, loss, held-out loss."""
    sys.path.insert(0, "")
    from model import gpt, train

    def replacing(self, xs):
        xs = self.attn([self.ln_1(x) for x in xs])
        return [self.mlp(self.ln_2(x)) for x in xs]

    def without_mlp(self, xs):
        heard = self.attn([self.ln_1(x) for x in xs])
        return [gpt.add(x, y) for x, y in zip(xs, heard)]

    if part == "residual":
        gpt.Block.__call__ = replacing
    if part == "layernorm":
        gpt.LayerNorm.__call__ = lambda self, x: x
    if part == "mlp":
        gpt.Block.__call__ = without_mlp
    models = []

    def made(rng):
        heads = {"H": 1} if part == "heads" else {}
        models.append(gpt.GPT(random.Random(1) if part == "seed1" else rng, **heads))
        return models[0]

    train.GPT, sys.argv = made, ["train"]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        train.main()
    loss, held_out = re.search(r"loss ([\d.]+) · held-out ([\d.]+)", out.getvalue()).groups()
    unused = {"layernorm": "ln_", "mlp": "mlp."}.get(part, "-")
    size = sum(unused not in name for name, _ in models[0].named_parameters())
    print(f"{size:,} {loss} {held_out}")


def row(part, commit, scratch):
    here = sandbox(commit, Path(scratch) / part, ROOT)
    command = [sys.executable, __file__, "--here", part]
    done = subprocess.run(
        command, cwd=here, env=PINNED, stdout=subprocess.PIPE, text=True, check=True
    )
    size, loss, held_out = done.stdout.split()
    return f"| {PARTS[part]} | {size} | {loss} | {held_out} |"


def main(words):
    if words[:1] == ["--here"]:
        return train_without(words[1])
    if words not in ([], ["--candidate"]):
        raise Problem(f"got '{' '.join(words)}'; expected nothing or --candidate")
    commit = act_end(ACT, words).commit
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(lambda part: row(part, commit, scratch), PARTS))
    table = "\n".join(["| | weights | loss | held-out |", "|---|---|---|---|", *rows])
    print(table)
    book = ROOT / "STEPS.md"
    marks = re.compile(r"(?<=<!-- ablation -->\n).*?(?=<!-- end ablation -->)", re.S)
    book.write_text(marks.sub(lambda _: f"\n{table}\n\n", book.read_text()))


if __name__ == "__main__":
    run_program(main)
