import pytest

from model.tokenizer import Tokenizer
from model.vocabulary import END, ORDER, split


def test_encode_texts():
    """Add a method encode_texts to Tokenizer: many texts as one row of tokens, each followed by
    the mark of its end, as GPT-2 was trained on them. A Tokenizer without a mark raises
    ValueError("tokenizer: got no mark for the end of a text; expected one").
    """
    assert hasattr(Tokenizer, "encode_texts"), "Tokenizer has no encode_texts yet"
    tokenizer = Tokenizer([(71, 68)], ORDER, split, END)  # h e
    assert tokenizer.encode_texts([b"he", b"", b"hh"]) == [256, 257, 257, 71, 71, 257]
    assert tokenizer.encode_texts([]) == []
    texts = [b"the end <|endoftext|>", b" of it"]
    row = tokenizer.encode_texts(texts)
    assert row.count(tokenizer.end) == 2
    assert tokenizer.decode(row) == END.join([*texts, b""])
    with pytest.raises(ValueError, match="got no mark for the end of a text; expected one"):
        Tokenizer().encode_texts(texts)
