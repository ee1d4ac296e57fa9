import numpy as np
import pytest

from engine.autograd import Tensor
from engine.nudge import gradcheck
from tests.compare import assert_close


def tensors(*shapes):
    rng = np.random.default_rng(1)
    return [Tensor(rng.uniform(-1.5, 1.5, shape)) for shape in shapes]


def test_matmul_by_hand():
    """(1, 2) @ columns (3, 4) and (5, 6): 1 * 3 + 2 * 4 and 1 * 5 + 2 * 6."""
    a, b = Tensor([[1.0, 2.0]]), Tensor([[3.0, 5.0], [4.0, 6.0]])
    y = a @ b
    assert y.data.tolist() == [[11.0, 17.0]]
    da, db = y.rule(np.array([[1.0, 10.0]]))
    assert da.tolist() == [[3.0 + 50.0, 4.0 + 60.0]]
    assert db.tolist() == [[1.0, 10.0], [2.0, 20.0]]


def test_matmul_is_a_product_of_numbers_and_a_sum():
    """Each y[n, k] made of single products: equal values, equal gradients."""
    a, b = tensors((2, 3), (3, 4))
    c, d = Tensor(a.data.copy()), Tensor(b.data.copy())
    factors = np.arange(8.0).reshape(2, 4)
    ((a @ b) * factors).sum().backward()
    products = c[:, :, None] * d[None]  # (2, 3, 1) * (1, 3, 4)
    (products.sum(dim=1) * factors).sum().backward()
    assert np.allclose(a.grad, c.grad, atol=1e-14) and np.allclose(b.grad, d.grad, atol=1e-14)


@pytest.mark.parametrize(
    "shapes",
    [((1, 1), (1, 1)), ((2, 3), (3, 4)), ((2, 3, 4), (4, 1)), ((4, 2), (3, 2, 5))],
    ids=str,
)
def test_gradients_of_matmul(shapes):
    assert gradcheck(lambda a, b: a @ b, *tensors(*shapes))


def test_one_matrix_for_all_rows_gets_one_product():
    """Its gradient comes in its own shape, not as one for each index of the first axis."""
    a, b = tensors((2, 3, 4), (4, 5))
    dy = np.cos(np.arange(30.0)).reshape(2, 3, 5)
    y = a @ b
    da, db = y.rule(dy)
    assert (da.shape, db.shape) == ((2, 3, 4), (4, 5))
    assert_close(y.data, np.stack([row @ b.data for row in a.data]))
    assert_close(db, sum(one.T @ other for one, other in zip(a.data, dy)))
    assert not np.any((Tensor(np.ones((2, 3, 0))) @ np.ones((0, 5))).data)


def test_shapes_that_do_not_fit():
    for one, other in [((2, 3), (4, 3)), ((3,), (3, 2)), ((2, 3), (3,))]:
        with pytest.raises(ValueError, match=r"matmul: got \(.*\) @ \(.*\); expected \(…, N, C\)"):
            Tensor(np.zeros(one)) @ Tensor(np.zeros(other))


def test_numpy_arrays_on_either_side_of_matmul():
    a = Tensor([[1.0, 2.0]])
    assert (a @ np.eye(2)).data.tolist() == (np.eye(1) @ a).data.tolist() == [[1.0, 2.0]]


def test_transposes_against_nudges():
    (x,) = tensors((2, 3, 4))
    assert gradcheck(lambda x: x.transpose(0, -1) * 2.0, x)
    assert gradcheck(lambda x: x[0].T @ x[1], x)


def test_mistakes_get_one_clear_line():
    with pytest.raises(ValueError, match=r"T: got shape \(2, 3, 4\); expected two axes, or trans"):
        _ = Tensor(np.zeros((2, 3, 4))).T


def test_a_transposed_array_is_a_view():
    """No number is copied: a transpose reads the same memory in another order."""
    (x,) = tensors((2, 3))
    x.T.data[2, 0] = 7.0
    assert x.data[0, 2] == 7.0
