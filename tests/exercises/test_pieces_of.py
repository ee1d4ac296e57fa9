"""Exercise: which pieces is a text made of?"""

from model.stories import generate
from model.tokenizer import learn


def test_pieces_of():
    """Add a method pieces_of to Tokenizer: the pieces that a text is cut into, as a list of bytes.

    learn(b"abc.abc.ab", 10).pieces_of(b"abcab.") == [b"abc", b"ab", b"."]
    """
    tokenizer = learn(b"abc.abc.ab", 10)
    assert hasattr(tokenizer, "pieces_of"), "Tokenizer has no pieces_of yet"
    assert tokenizer.pieces_of(b"abcab.") == [b"abc", b"ab", b"."]
    text = generate(1, 5_000).encode()
    assert b"".join(learn(text, 200).pieces_of(text)) == text
    assert b" the" in learn(text, 200).pieces_of(text)
