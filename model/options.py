"""What make train can be asked for: a row an option, and what is taken where nothing was asked."""

import math
from typing import NamedTuple


class Option(NamedTuple):
    """A number: its kind and range, what it is for names and for a text, and what it means.

    most may be the name of another option.
    """

    kind: type
    least: float
    most: float | str
    names: float
    text: float
    help: str


OPTIONS = {
    "learning_rate": Option(float, 1e-9, math.inf, 0.02, 0.005, "how far a step goes"),
    "steps": Option(int, 1, 10_000_000, 2700, 3000, "how many"),
    "batch_size": Option(int, 1, 100_000, 32, 16, "rows a step"),
    "processes": Option(int, 1, 64, 1, 2, "share a batch"),
    "micro_batches": Option(int, 1, "batch_size", 1, 1, "of a batch, one after another"),
    "dropout": Option(float, 0, 0.99, 0.0, 0.0, "a share"),
    "save_every": Option(int, 1, 10_000_000, 100, 100, "steps from one checkpoint to the next"),
    "watch_every": Option(int, 1, 10_000_000, 250, 250, "steps from one sample to the next"),
    "merges": Option(int, 0, math.inf, 0, 1024, "how many; 0: single bytes"),
}
NAMES_RUN = {name: option.names for name, option in OPTIONS.items()}
NAMES_RUN |= {"model": "names", "device": "cpu"}
TEXT_RUN = {name: option.text for name, option in OPTIONS.items()}
TEXT_RUN |= {"model": "stories", "device": "cpu"}
# Where a device is played a step takes longer, and the more so the more kernels there are.
SIMULATED_RUN = NAMES_RUN | {"steps": 1500}


def flag(name):
    return "--" + name.replace("_", "-")


def add_options(parser):
    for name, option in OPTIONS.items():
        usual = f"default {option.names}"
        if option.text != option.names:
            usual += f", for a text {option.text}"
        parser.add_argument(flag(name), type=option.kind, help=f"{option.help}; {usual}")


def check(settings):
    """Raises ValueError where a number is outside of its range; infinity always is."""
    for name, option in OPTIONS.items():
        value, least, most = settings[name], option.least, settings.get(option.most, option.most)
        broken = option.kind is int and value % 1
        if not least <= value <= most or value == math.inf or broken:
            expected = f"{least:,} or more" if most == math.inf else f"{least:,} to {most:,}"
            raise ValueError(f"got {flag(name)} {value}; expected {expected}")
