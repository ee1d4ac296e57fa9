import math

import numpy as np
import pytest

from model.data import load_data
from model.gpt import CONFIGS
from model.options import TEXT_RUN
from model.stories import END, window_gap


def test_the_window_of_the_default_run_holds_a_whole_story_of_usual_length():
    T = CONFIGS[TEXT_RUN["model"]].T
    data = load_data("stories", T=T, merges=TEXT_RUN["merges"])
    text = data.tokenizer.decode(data.held_out)
    lengths = [len(story) for story in text.split(END.encode())[1:-1]]
    assert np.median(lengths) * data.tokens_per_byte < T


@pytest.mark.parametrize("characters, bits", [(254, 0.133), (509, 0.066)])
def test_what_windows_of_64_and_128_tokens_may_cost_a_byte(characters, bits):
    assert window_gap(characters) / math.log(2) == pytest.approx(bits, abs=5e-4)
