import random

from engine.autograd import Value
from model.data import encode
from model.gpt import GPT, add


def test_add_is_number_by_number():
    x, y = [Value(1.0), Value(2.0)], [Value(10.0), Value(20.0)]
    assert [value.data for value in add(x, y)] == [11.0, 22.0]


def silent(L):
    """A model whose layers add nothing: tanh(0) = 0."""
    model = GPT(random.Random(1), C=4, L=L)
    for layer in model.layers:
        for weight in layer.parameters():
            weight.data = 0.0
    return model


def test_layers_that_write_zeros_change_nothing():
    one, six = silent(1), silent(6)
    six.tok_emb, six.head = one.tok_emb, one.head
    logits = [[logit.data for logit in row] for row in one(encode("anna")[:-1])]
    assert logits == [[logit.data for logit in row] for row in six(encode("anna")[:-1])]


def test_the_residual_road_hands_gradients_through_unchanged():
    """The gradient of the last letter's vector is what the head hands down, however many layers."""
    for L in (1, 6, 40):
        model = silent(L)
        model([1])[0][5].backward()
        expected = [weight.data for weight in model.head.weight[5][-4:]]
        assert [weight.grad for weight in model.tok_emb[1]] == expected
