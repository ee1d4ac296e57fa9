import argparse
import math

import pytest

from model.options import NAMES_RUN, OPTIONS, TEXT_RUN, add_options, check, flag


@pytest.mark.parametrize("name", OPTIONS)
def test_the_ends_of_a_range_belong_to_it_and_what_lies_beyond_does_not(name):
    option = OPTIONS[name]
    for usual in (NAMES_RUN, TEXT_RUN):
        check(usual)
        check(usual | {name: option.least})
        for wrong in (option.least - 1, usual.get(option.most, option.most) + 1, math.nan):
            with pytest.raises(ValueError, match=rf"got {flag(name)} {wrong}; expected [0-9]"):
                check(usual | {name: wrong})


def test_help_says_both_defaults():
    parser = argparse.ArgumentParser()
    add_options(parser)
    text = " ".join(parser.format_help().split())
    assert "--batch-size BATCH_SIZE rows a step; default 32, for a text 16 " in text
    assert "--micro-batches MICRO_BATCHES of a batch, one after another; default 1 " in text
