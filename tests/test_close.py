import numpy as np

from model.data import load_data
from model.gpt import CONFIGS
from model.stories import END, floor, window_gap
from model.train import TEXT_RUN


def test_the_window_of_the_default_run_holds_a_whole_story_of_usual_length():
    T = CONFIGS[TEXT_RUN["model"]]["T"]
    data = load_data("stories", T=T, merges=TEXT_RUN["merges"])
    text = data.tokenizer.decode(data.held_out)
    lengths = [len(story) for story in text.split(END.encode())[1:-1]]
    assert np.median(lengths) * data.tokens_per_byte < T


def test_a_window_twice_as_long_has_half_the_bound_on_what_it_misses():
    assert 2 * window_gap(128) == window_gap(64) and window_gap(128) < floor() * 2
