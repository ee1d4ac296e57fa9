import numpy as np
import pytest

from engine.autograd import Tensor
from engine.ops import layernorm, softmax_values
from tests.engine.test_arrays import assert_gradients, tensors


def test_sums_against_nudges():
    (x,) = tensors((2, 3, 4))
    for dim in (None, 0, 1, -1):
        for keepdim in (False, True):
            assert_gradients(lambda x, d=dim, k=keepdim: x.sum(dim=d, keepdim=k).tanh(), [x])


def test_the_mean_of_no_numbers_is_refused():
    with pytest.raises(ValueError, match=r"mean: got shape \(0, 3\); expected at least one number"):
        Tensor(np.zeros((0, 3))).mean()


def test_layernorm_takes_each_row_for_itself():
    x, weight, bias = tensors((3, 5), (5,), (5,))
    whole = layernorm(x, weight, bias).data
    for row, y in zip(x, whole):
        assert np.allclose(layernorm(row, weight, bias).data, y, atol=1e-14)


def test_gradients_of_mean_and_max():
    (x,) = tensors((2, 3, 4))
    assert_gradients(lambda x: x.mean(dim=1).exp() + x.mean() * x.mean(dim=1), [x])
    assert_gradients(lambda x: x.max(dim=-1) * x.max(dim=0, keepdim=True).sum() + x.max(), [x])


@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_axes_by_the_names_of_numpy(name):
    (x,) = tensors((2, 3, 4))
    ours, numpys = getattr(Tensor, name), getattr(np, name)
    for axis in (None, 1, -1):
        y = numpys(x, axis=axis)
        assert isinstance(y, Tensor)
        assert np.allclose(y.data, numpys(x.data, axis=axis), atol=1e-12)
        assert np.array_equal(ours(x, axis=axis, keepdims=True).data, ours(x, axis, True).data)
    assert numpys(x, 1, keepdims=True).shape == (2, 1, 4)
    assert_gradients(lambda x: numpys(x, axis=0), [x])
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
    assert np.allclose(single.data, softmax_values(x, 1.0).data, atol=1e-12)
