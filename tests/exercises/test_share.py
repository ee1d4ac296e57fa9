"""Exercise: how much is held out?"""

from model import data


def test_share():
    """Give Text a third argument, share: the part of the text to learn from, 0.9 as before.

    With a share of 0.8 the last fifth is held out.
    """
    text = "abcde" * 200
    assert "share" in data.Text.__init__.__code__.co_varnames, "Text has no argument share yet"
    assert len(data.Text(text, 4).train) == 900
    part = data.Text(text, 4, share=0.8)
    assert (len(part.train), len(part.held_out)) == (800, 200)
