"""Exercise: where are the weights?"""

from model import gpt


def test_count_weights():
    """Write count_weights(V, T, C, L) in model/gpt.py: the number of weights, by a formula."""
    assert hasattr(gpt, "count_weights"), "model/gpt.py has no count_weights yet"
    assert gpt.count_weights(V=27, T=16, C=16, L=1) == 4000
    assert gpt.count_weights(V=50257, T=1024, C=768, L=12) == 124439808
