"""Exercise: how much is held out?"""

from model import data


def test_share():
    """Give Text a third argument, share: the part of the text to learn from, 0.9 as before.

    With a share of 0.5 the second half is held out.
    """
    text = "abcde" * 200
    assert "share" in data.Text.__init__.__code__.co_varnames, "Text has no argument share yet"
    assert len(data.Text(text, 4).train) == 900
    half = data.Text(text, 4, share=0.5)
    assert len(half.train) == len(half.held_out) == 500
