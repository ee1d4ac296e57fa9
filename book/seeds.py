"""What each part of act I is worth, over many starts: python3 book/seeds.py [names|parts|puzzles]

The models of act I's steps once more, in PyTorch and float32, for all starts at once: weights have
an axis in front, one entry a start. So one run says by how much luck a held-out loss moves: it
prints mean ± standard deviation. Starts and orders are other ones than the steps' own.
names: the held-out loss of each step's model. parts: the last model without each of its parts;
this table also goes into STEPS.md, between `<!-- ablation -->` and `<!-- end ablation -->`.
puzzles: losses of the puzzles, each for the models named with it. All three take about twenty
minutes. It needs torch (the project's .venv).
"""

import math
import random
import re
import sys
import tempfile
from pathlib import Path

import torch
from common import ROOT, Problem, act_end, run_program, sandbox
from torch.nn.functional import cross_entropy, gelu, layer_norm

STARTS = 12
ROAD = {"C": 16, "pos": True, "mlp": True}
GPT = {**ROAD, "exchange": "attention", "H": 4, "tied": True, "norm": True}
# slug of the step: (the model, how it is trained); what is not said is as in Model and descend.
STEPS = {
    "embedding": ({"window": "linear"}, {"sgd": True, "constant": True, "rate": 0.1, "passes": 1}),
    "hidden": ({"window": "hidden"}, {"sgd": True, "constant": True, "rate": 0.1, "passes": 1}),
    "epochs": ({"window": "hidden"}, {"sgd": True, "constant": True, "rate": 0.1}),
    "cooldown": ({"window": "hidden"}, {"sgd": True, "rate": 0.4}),
    "adam": ({"window": "hidden"}, {}),
    "residual": ({"window": "tanh", "L": 3}, {}),
    "block": ({"window": "mlp"}, {}),
    "average": ({**ROAD, "exchange": "average", "pos": False}, {}),
    "position-vectors": ({**ROAD, "exchange": "average"}, {}),
    "attention": ({**ROAD, "exchange": "attention"}, {}),
    "heads": ({**ROAD, "exchange": "attention", "H": 4}, {}),
    "tied": ({**GPT, "norm": False}, {}),
    "layernorm": (GPT, {"rate": 0.005}),
}
CONTROLS = {
    "cool-down, one pass": ({"window": "hidden"}, {"sgd": True, "rate": 0.4, "passes": 1}),
    "cool-down, rate 0.1": ({"window": "hidden"}, {"sgd": True, "rate": 0.1}),
    "cool-down, rate 0.2": ({"window": "hidden"}, {"sgd": True, "rate": 0.2}),
    "one tanh layer": ({"window": "tanh"}, {}),
    "three tanh layers that replace": ({"window": "tanh", "L": 3, "road": False}, {}),
    "a window with positions, MLP": ({"window": "mlp", "pos": True}, {}),
    "MLP, no exchange, no positions": ({**ROAD, "pos": False}, {}),
    "MLP, no exchange": (ROAD, {}),
    "attention, no positions": ({**ROAD, "exchange": "attention", "pos": False}, {}),
    "layernorm, GPT-2's start": ({**GPT, "quiet": True}, {"rate": 0.005}),
    "six layers, one pass": ({**GPT, "L": 6}, {"rate": 0.005, "passes": 1}),
    "six layers, one pass, GPT-2's start": (
        {**GPT, "L": 6, "quiet": True},
        {"rate": 0.005, "passes": 1},
    ),
    "equal shares of values": ({**ROAD, "exchange": "values"}, {}),
}
WINDOW, SGD = {"window": "hidden"}, {"sgd": True}
TWO_TABLES = {**ROAD, "exchange": "attention", "H": 4}
TIED = {**TWO_TABLES, "tied": True}
# puzzle: [(what is said of the model, the model, how it is trained)]
TRIALS = {
    "xor": [
        ("linear, rate falling", {"window": "linear"}, {**SGD, "rate": 0.1}),
        ("hidden, constant rate", WINDOW, {**SGD, "rate": 0.1, "constant": True}),
        ("six layers that replace", {"window": "tanh", "L": 6, "road": False}, {}),
        ("six layers that add", {"window": "tanh", "L": 6}, {}),
    ],
    "clock": [
        ("linear, rate falling", {"window": "linear"}, {**SGD, "rate": 0.1}),
        ("hidden, constant rate", WINDOW, {**SGD, "rate": 0.1, "constant": True}),
        ("hidden, rate falling from 0.4", WINDOW, {**SGD, "rate": 0.4}),
        ("hidden, Adam", WINDOW, {}),
        ("hidden, Adam at 0.04", WINDOW, {"rate": 0.04}),
        ("three layers that replace", {"window": "tanh", "L": 3, "road": False}, {}),
        ("three layers that add", {"window": "tanh", "L": 3}, {}),
        ("six layers that replace", {"window": "tanh", "L": 6, "road": False}, {}),
        ("six layers that add", {"window": "tanh", "L": 6}, {}),
        ("block", {"window": "mlp"}, {}),
        ("average", {**ROAD, "exchange": "average", "pos": False}, {}),
    ],
    "seen": [
        ("linear, rate falling", {"window": "linear"}, {**SGD, "rate": 0.1}),
        ("three layers that add", {"window": "tanh", "L": 3}, {}),
        ("block", {"window": "mlp"}, {}),
        ("average", {**ROAD, "exchange": "average", "pos": False}, {}),
    ],
    "place": [
        ("linear, rate falling", {"window": "linear"}, {**SGD, "rate": 0.1}),
        ("average", {**ROAD, "exchange": "average", "pos": False}, {}),
        ("average with positions", {**ROAD, "exchange": "average"}, {}),
        ("attention, one head", {**ROAD, "exchange": "attention"}, {}),
        ("heads", TWO_TABLES, {}),
        ("tied", TIED, {}),
        ("layernorm", GPT, {}),
        ("layernorm, GPT-2's start", {**GPT, "quiet": True}, {}),
        ("two tables, four layers", {**TWO_TABLES, "L": 4}, {}),
        ("tied, four layers", {**TIED, "L": 4}, {}),
        ("layernorm, four layers", {**GPT, "L": 4}, {}),
    ],
    "many": [
        ("linear, rate falling", {"window": "linear"}, {**SGD, "rate": 0.1}),
        ("two tables", TWO_TABLES, {}),
        ("tied", TIED, {}),
    ],
    "bits": [
        ("linear, rate falling", {"window": "linear"}, {**SGD, "rate": 0.1}),
        ("attention, one head", {**ROAD, "exchange": "attention"}, {}),
        ("heads", TWO_TABLES, {}),
    ],
}
PARTS = {
    "the whole model": {},
    "one head in place of four": {"H": 1},
    "the average of values in place of attention": {"exchange": "values"},
    "nothing in its place: no letter hears another": {"exchange": None},
    "nothing added: each part replaces what was there": {"road": False},
    "no MLP": {"mlp": False},
    "no LayerNorm": {"norm": False},
    "no positions": {"pos": False},
    "a head of its own in place of the tied one": {"tied": False},
}


class Model:
    """A model of act I for S starts: {name: weights (S, …)} and logits (S, T, V)."""

    def __init__(
        self,
        S,
        V=27,
        C=8,
        T=16,
        H=1,
        L=1,
        window=None,
        exchange=None,
        pos=False,
        road=True,
        mlp=False,
        tied=False,
        norm=False,
        quiet=False,
        seed=0,
    ):
        self.S, self.V, self.C, self.H, self.L = S, V, C, H, L
        self.window, self.exchange, self.pos, self.road = window, exchange, pos, road
        self.mlp, self.tied, self.norm, self.quiet = mlp, tied, norm, quiet
        self.weights, self.rng = {}, torch.Generator().manual_seed(seed)
        wide = 3 * C if window else C
        self.matrix("tok_emb", V, C)
        if pos:
            self.matrix("pos_emb", T, wide)
        for block in range(L):
            if window == "hidden":
                self.linear(f"{block}.hidden", wide, 20)
            if window == "tanh":
                self.linear(f"{block}.layer", wide, wide)
            if exchange in ("attention", "values"):
                self.linear(f"{block}.qkv", C, 3 * C)
                self.linear(f"{block}.proj", C, C)
            if mlp or window == "mlp":
                self.linear(f"{block}.up", wide, 4 * wide)
                self.linear(f"{block}.down", 4 * wide, wide)
            for name in ("ln_1", "ln_2") if norm else ():
                self.gain(f"{block}.{name}", C)
        if norm:
            self.gain("ln_f", C)
        if not tied:
            self.linear("head", 20 if window == "hidden" else wide, V)
        for weight in self.weights.values():
            weight.requires_grad_()

    def matrix(self, name, rows, columns):
        """Random weights: all of spread 0.2, or `quiet`, as the start step has them."""
        spread = 0.2
        if self.quiet:
            last = "proj" in name or "down" in name
            spread = 0.02 if "emb" in name else 0.1 / math.sqrt(2 * self.L) if last else 0.1
        self.weights[name] = spread * torch.randn(self.S, rows, columns, generator=self.rng)

    def linear(self, name, size_in, size_out):
        self.matrix(f"{name}.weight", size_out, size_in)
        self.weights[f"{name}.bias"] = torch.zeros(self.S, 1, size_out)

    def gain(self, name, C):
        self.weights[f"{name}.weight"] = torch.ones(self.S, 1, C)
        self.weights[f"{name}.bias"] = torch.zeros(self.S, 1, C)

    def through(self, name, x):
        return x @ self.weights[f"{name}.weight"].mT + self.weights[f"{name}.bias"]

    def normed(self, name, x):
        if not self.norm:
            return x
        y = layer_norm(x, (self.C,))
        return y * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def added(self, x, y):
        return x + y if self.road else y

    def heard(self, block, x):
        """What attention, or the average in its place, brings to each letter."""
        S, T, C = x.shape
        past = torch.ones(T, T).tril()
        equal = past / past.sum(1, keepdim=True)
        if self.exchange == "average":
            return equal @ x
        parts = self.through(f"{block}.qkv", x).split(C, 2)
        q, k, v = (part.reshape(S, T, self.H, C // self.H).transpose(1, 2) for part in parts)
        scores = q @ k.mT / math.sqrt(C // self.H)
        shares = scores.masked_fill(past == 0, -math.inf).softmax(3)
        y = (equal if self.exchange == "values" else shares) @ v
        return self.through(f"{block}.proj", y.transpose(1, 2).reshape(S, T, C))

    def __call__(self, letters):
        x = self.weights["tok_emb"][torch.arange(self.S)[:, None], letters]  # (S, T, C)
        if self.window:
            mark = self.weights["tok_emb"][:, :1]
            before = torch.cat([mark, x[:, :-1]], 1)
            x = torch.cat([torch.cat([mark, before[:, :-1]], 1), before, x], 2)
        if self.pos:
            x = x + self.weights["pos_emb"][:, : x.shape[1]]
        for block in range(self.L):
            if self.window == "hidden":
                x = self.through(f"{block}.hidden", x).tanh()
            if self.window == "tanh":
                x = self.added(x, self.through(f"{block}.layer", x).tanh())
            if self.exchange:
                x = self.added(x, self.heard(block, self.normed(f"{block}.ln_1", x)))
            if f"{block}.up.bias" in self.weights:
                up = self.through(f"{block}.up", self.normed(f"{block}.ln_2", x))
                x = self.added(x, self.through(f"{block}.down", gelu(up, approximate="tanh")))
        x = self.normed("ln_f", x)
        return x @ self.weights["tok_emb"].mT if self.tied else self.through("head", x)


def descend(model, steps, batch, rate=0.01, sgd=False, constant=False):
    """Training: batch(step) gives letters (S, T), labels (S, T), -1 where nothing is asked."""
    weights = list(model.weights.values())
    m, v = ([torch.zeros_like(w) for w in weights] for _ in range(2))
    for step in range(steps):
        x, y = batch(step)
        used = torch.autograd.grad(losses(model, x, y).sum(), weights, allow_unused=True)
        grads = [torch.zeros_like(w) if g is None else g for w, g in zip(weights, used)]
        share = 1.0 if constant else min((step + 1) / (0.1 * steps), (1 - step / steps) / 0.9)
        with torch.no_grad():
            if sgd:
                torch._foreach_add_(weights, grads, alpha=-rate * share)
                continue
            torch._foreach_lerp_(m, grads, 0.1)
            torch._foreach_mul_(v, 0.99)
            torch._foreach_addcmul_(v, grads, grads, 0.01)
            roots = torch._foreach_sqrt(torch._foreach_div(v, 1 - 0.99 ** (step + 1)))
            torch._foreach_add_(roots, 1e-8)
            torch._foreach_addcdiv_(weights, m, roots, -rate * share / (1 - 0.9 ** (step + 1)))


def losses(model, x, y):
    """The mean loss over the labels of each start's row: (S)."""
    rows = cross_entropy(model(x).flatten(0, 1), y.flatten(), ignore_index=-1, reduction="none")
    return rows.reshape(y.shape).sum(1) / (y >= 0).sum(1)


def packed(words):
    """Encoded words as letters and labels of one length, filled up with 0 and -1."""
    T = max(map(len, words)) - 1
    x = torch.tensor([w[:-1] + [0] * (T + 1 - len(w)) for w in words])
    return x, torch.tensor([w[1:] + [-1] * (T + 1 - len(w)) for w in words])


def on_names(sizes, recipe, names, held_out):
    """Mean and deviation over the starts of the held-out loss, and the number of weights."""
    recipe = dict(recipe)
    passes = recipe.pop("passes", 2)
    model = Model(STARTS, **sizes)
    x, y = packed(names)
    rng = torch.Generator().manual_seed(1)
    orders = [
        torch.cat([torch.randperm(len(names), generator=rng) for _ in range(passes)])
        for _ in range(STARTS)
    ]
    order = torch.stack(orders)

    def batch(step):
        rows = order[:, step]
        T = int((y[rows] >= 0).sum(1).max())
        return x[rows, :T], y[rows, :T]

    descend(model, passes * len(names), batch, **recipe)
    x, y = packed(held_out)
    with torch.no_grad():
        letters = (y >= 0).sum(1)
        rows = [losses(model, a.expand(STARTS, -1), b.expand(STARTS, -1)) for a, b in zip(x, y)]
        found = (torch.stack(rows) * letters[:, None]).sum(0) / letters.sum()
    return found.mean().item(), found.std().item(), count(model)


def count(model):
    return sum(weight[0].numel() for weight in model.weights.values())


def on_puzzle(sizes, recipe, puzzle, words, encode):
    """The losses of all starts on 200 new words, after as many to learn from."""
    rng, model = random.Random(1), Model(STARTS, **sizes)

    def rows(n):
        drawn = [encode(puzzle(rng))[:-1] for _ in range(n)]
        x, y = packed(drawn)
        y[:, :-1] = -1  # only the last letter is asked
        return x, y

    descend(model, words, lambda _: rows(STARTS), **recipe)
    with torch.no_grad():
        tests = zip(*rows(200))
        found = torch.stack(
            [losses(model, a.expand(STARTS, -1), b.expand(STARTS, -1)) for a, b in tests]
        )
    return found.mean(0)


def told(label, found):
    mean, deviation, size = found
    return f"| {label} | {size:,} | {mean:.3f} ± {deviation:.3f} |"


def table(rows):
    return "\n".join(["| | weights | held-out |", "|---|---|---|", *rows])


def write_parts(text):
    book = ROOT / "STEPS.md"
    marks = re.compile(r"(?<=<!-- ablation -->\n).*?(?=<!-- end ablation -->)", re.S)
    book.write_text(marks.sub(lambda _: f"\n{text}\n\n", book.read_text()))


def main(words):
    kinds = ["names", "parts", "puzzles"]
    wanted = [word for word in words if word != "--candidate"] or kinds
    if not set(wanted) <= set(kinds):
        raise Problem(f"got '{' '.join(words)}'; expected {', '.join(kinds)} or --candidate")
    torch.set_num_threads(1)
    commit = act_end("act-1", [word for word in words if word == "--candidate"]).commit
    with tempfile.TemporaryDirectory() as scratch:
        sys.path.insert(0, str(sandbox(commit, Path(scratch) / "act-1", ROOT)))
        from model.puzzles import PUZZLES

        from model.data import NAMES_FILE, encode, read_names, split

        names, held_out = (
            [encode(name) for name in part] for part in split(read_names(NAMES_FILE))
        )
        if "names" in wanted:
            for label, (sizes, recipe) in (STEPS | CONTROLS).items():
                print(told(label, on_names(sizes, recipe, names, held_out)), flush=True)
        if "parts" in wanted:
            recipe = {"rate": 0.005}
            rows = [
                told(label, on_names({**GPT, **change}, recipe, names, held_out))
                for label, change in PARTS.items()
            ]
            print(table(rows))
            write_parts(table(rows))
        for name, trials in TRIALS.items() if "puzzles" in wanted else ():
            puzzle, words = PUZZLES[name]
            for label, sizes, recipe in trials:
                found = on_puzzle(sizes, recipe, puzzle, words, encode)
                middle = f"the middle one {found.median():.4f}"
                print(
                    f"{name}: {label}: {found.mean():.4f} ± {found.std():.4f}, {middle}", flush=True
                )


if __name__ == "__main__":
    run_program(main)
