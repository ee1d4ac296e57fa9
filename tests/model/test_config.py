import dataclasses
import random
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from model.gpt import CONFIGS, GPT, GPTConfig
from tests.program import TRAIN

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", "VTCHL")
def test_sizes_must_be_positive(name):
    for size in (0, -4):
        with pytest.raises(ValueError, match=f"{name}={size}.*; expected sizes of at least 1"):
            GPTConfig(**{name: size})


def test_a_configuration_stays_what_it_is():
    """A model's weights were made by it; another model needs another one."""
    config = GPTConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.C = 32
    assert replace(config, C=32) == GPTConfig(C=32) and config == GPTConfig()


def test_first_weights_lie_as_far_from_0_as_the_configuration_says():
    """scale, and scale / sqrt(2 * L) in the last matrix of each part."""
    model = GPT(random.Random(1), GPTConfig(C=64, L=2, scale=0.2))
    for block in model.blocks:
        for layer in (block.attn.qkv, block.mlp.up):
            assert np.std(layer.weight.data) == pytest.approx(0.2, rel=0.05)
        for layer in (block.attn.proj, block.mlp.down):
            assert np.std(layer.weight.data) == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("name", ["names", "tiny"])
def test_a_model_by_name(name, tmp_path):
    command = [*TRAIN, "--data", "names", "--model", name]
    done = subprocess.run(
        [*command, "--steps", "1", "--batch-size", "1"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    model = GPT(random.Random(1), CONFIGS[name])
    weights = sum(weight.data.size for weight in model.parameters())
    assert f" · {weights:,} weights · " in done.stdout


def test_the_sizes_of_a_model_are_those_of_its_configuration():
    config = GPTConfig(V=30, T=7, C=8, H=2, L=3)
    model = GPT(random.Random(1), config)
    assert model.config is config
    assert (model.tok_emb.shape, model.pos_emb.shape) == ((30, 8), (7, 8))
    assert len(model.blocks) == 3 and model.blocks[0].attn.H == 2
    assert GPTConfig(**asdict(config)) == config
