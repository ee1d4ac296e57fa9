import random
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import pytest

from model.gpt import CONFIGS, GPT, GPTConfig
from model.sample import continuation, sample_text, stream_text
from model.vocabulary import read_vocabulary
from tests.model.test_vocabulary import FIRST

ROOT = Path(__file__).parents[2]
# A small vocabulary: the 256 bytes, the merges of FIRST, the end of a text.
CONFIG = GPTConfig(V=266, T=12, C=8, H=2, L=2)


@pytest.fixture
def tiny(tmp_path):
    """(model, tokenizer): random weights, and biases that are not 0."""
    model, path = GPT(random.Random(1), CONFIG), tmp_path / "merges.txt"
    model.ln_f.bias.data[:] = 0.3
    path.write_text(FIRST, encoding="utf-8")
    return model, read_vocabulary(path)


def test_a_text_without_a_prompt_begins_at_the_end_of_another(tiny):
    model, tokenizer = tiny
    from_end = continuation(model, random.Random(1), [tokenizer.end], 9, stop=tokenizer.end)
    expected = tokenizer.decode(list(from_end)).decode(errors="replace")
    assert sample_text(model, random.Random(1), tokenizer, 9) == expected


def test_train_takes_a_model_by_its_name(tmp_path):
    command = [sys.executable, "-m", "model.train", "--data", "names", "--model", "tiny"]
    done = subprocess.run(
        [*command, "--steps", "1"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    size = sum(w.data.size for w in GPT(None, CONFIGS["tiny"]).parameters())
    assert f" · {size:,} weights · " in done.stdout


def test_text_comes_piece_by_piece_and_ends_where_the_model_ends_it(tiny):
    model, tokenizer = tiny
    pieces = list(stream_text(model, random.Random(1), tokenizer, 30, "the ü"))
    assert len(pieces) > 10 and pieces[0] == "the ü"
    assert "".join(pieces) == sample_text(model, random.Random(1), tokenizer, 30, "the ü")
    # A head that gives the end of the text most, wherever it is.
    model.tok_emb.data[:] = 0
    model.tok_emb.data[tokenizer.end] = 100 * model.ln_f.bias.data
    assert sample_text(model, random.Random(1), tokenizer, 30, "the", top_k=1) == "the"


@pytest.mark.parametrize(
    "name, count",
    [
        ("gpt2", 124_439_808),
        ("gpt2-medium", 354_823_168),
        ("gpt2-large", 774_030_080),
        ("gpt2-xl", 1_557_611_200),
    ],
)
def test_the_four_published_sizes(name, count):
    """Weights: (V + T) * C for the tables, 12 * C ** 2 + 13 * C a block, 2 * C at the end."""
    V, T, C, H, L, *_ = astuple(CONFIGS[name])
    assert count == (V + T) * C + L * (12 * C * C + 13 * C) + 2 * C
    assert C // H == 64
    small = GPT(None, GPTConfig(V=50, T=6, C=8, H=2, L=3))
    formula = (50 + 6) * 8 + 3 * (12 * 64 + 13 * 8) + 2 * 8
    assert sum(w.data.size for w in small.parameters()) == formula


def test_a_model_without_random_numbers_is_all_zeros():
    model = GPT(None, CONFIG)
    assert {x for w in model.blocks[0].mlp.parameters() for x in w.data.ravel()} == {0.0}
