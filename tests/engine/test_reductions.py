import numpy as np
import pytest

from engine.autograd import Tensor
from engine.nudge import gradcheck
from engine.ops import layernorm, softmax
from tests.compare import assert_close


def tensors(*shapes):
    rng = np.random.default_rng(1)
    return [Tensor(rng.uniform(-1.5, 1.5, shape)) for shape in shapes]


def test_sums_against_nudges():
    (x,) = tensors((2, 3, 4))
    for dim in (None, 0, 1, -1):
        for keepdim in (False, True):
            assert gradcheck(lambda x, d=dim, k=keepdim: x.sum(dim=d, keepdim=k).tanh(), x)


def test_the_mean_of_no_numbers_is_refused():
    with pytest.raises(ValueError, match=r"mean: got shape \(0, 3\); expected at least one number"):
        Tensor(np.zeros((0, 3))).mean()


def test_gradcheck_finds_a_wrong_rule():
    def forgetful(x):
        """The square, with a rule that lacks the 2."""
        return Tensor(x.data * x.data, (x,), lambda dy: (dy * x.data,))

    with pytest.raises(ValueError, match=r"gradcheck: got 3 at \(\) of tensor 0; expected 6"):
        gradcheck(forgetful, Tensor(3.0))
    with pytest.raises(ValueError, match=r"gradcheck: got .* of tensor 1; expected"):
        gradcheck(lambda a, b: a * 2.0 + forgetful(b), *tensors((2,), (2,)))


def test_gradcheck_finds_a_gradient_of_another_shape():
    """That of all rows together in place of each row's: stretched, it would pass for right."""
    (x,) = tensors((2, 3))
    with pytest.raises(ValueError, match=r"got a gradient of shape \(3,\); expected \(2, 3\)"):
        gradcheck(lambda x: Tensor(x.data.sum(), (x,), lambda dy: (dy * np.ones(3),)), x)


def test_gradcheck_leaves_the_numbers_as_they_were():
    (x,) = tensors((2, 3))
    before = x.data.copy()
    assert gradcheck(lambda x: x.exp(), x)
    assert np.array_equal(x.data, before)


def test_layernorm_takes_each_row_for_itself():
    x, weight, bias = tensors((3, 5), (5,), (5,))
    whole = layernorm(x, weight, bias).data
    for row, y in zip(x, whole):
        assert np.allclose(layernorm(row, weight, bias).data, y, atol=1e-14)


def test_gradients_of_mean_and_max():
    (x,) = tensors((2, 3, 4))
    assert gradcheck(lambda x: x.mean(dim=1).exp() + x.mean() * x.mean(dim=1), x)
    assert gradcheck(lambda x: x.max(dim=-1) * x.max(dim=0, keepdim=True).sum() + x.max(), x)


@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_axes_by_the_names_of_numpy(name):
    (x,) = tensors((2, 3, 4))
    ours, numpys = getattr(Tensor, name), getattr(np, name)
    for axis in (None, 1, -1):
        y = numpys(x, axis=axis)
        assert isinstance(y, Tensor)
        assert_close(y.data, numpys(x.data, axis=axis))
        assert np.array_equal(ours(x, axis=axis, keepdims=True).data, ours(x, axis, True).data)
    assert numpys(x, 1, keepdims=True).shape == (2, 1, 4)
    assert gradcheck(lambda x: numpys(x, axis=0), x)
    for wrong in ({"dtype": np.float32}, {"out": np.zeros(())}, {"dim": 1, "axis": 0}):
        with pytest.raises(ValueError, match="sum, mean, max: got dtype, out or two axes; expecte"):
            ours(x, **wrong)
    with pytest.raises(TypeError, match="unexpected keyword argument 'where'"):
        numpys(x, where=x.data > 0)


def test_ties_share_the_gradient_of_max():
    x = Tensor([[2.0, 5.0, 5.0], [1.0, 0.0, -1.0]])
    x.max(dim=1).sum().backward()
    assert x.grad.tolist() == [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]


def test_softmax_of_single_operations_is_the_node():
    (x,) = tensors((3, 5))
    single = (x - x.max(dim=-1, keepdim=True)).exp()
    single = single / single.sum(dim=-1, keepdim=True)
    assert_close(single.data, softmax(x, 1.0).data)
