import numpy as np
import pytest

from engine.autograd import Tensor
from engine.nudge import nudge
from engine.ops import cat, dot, layernorm, softmax_values, stack

ELEMENTWISE = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "gelu": lambda a, b: (a - b).gelu(),
}


def tensors(*shapes, seed=1):
    rng = np.random.default_rng(seed)
    return [Tensor(rng.uniform(-1.5, 1.5, shape)) for shape in shapes]


def total(y):
    """All numbers of y, each times another factor, added up."""
    return sum(y[i] * (1.0 + k / 7) for k, i in enumerate(np.ndindex(y.shape)))


def joined(shape, numbers):
    """An array of this shape, stacked from an iterator of Tensors of one number each."""
    if shape == ():
        return next(numbers)
    return stack([joined(shape[1:], numbers) for _ in range(shape[0])])


def assert_gradients(operation, weights):
    """Each number of the weights is a Tensor of its own here, so that it can be nudged alone."""
    numbers = [Tensor(number) for weight in weights for number in weight.data.ravel()]

    def loss(numbers):
        parts = iter(numbers)
        return total(operation(*[joined(weight.shape, parts) for weight in weights]))

    measured = nudge(loss, numbers, h=1e-5)
    loss(numbers).backward()
    assert [number.grad for number in numbers] == pytest.approx(measured, abs=1e-6)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (1, 2, 2)], ids=str)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_gradients_number_by_number(name, shape):
    assert_gradients(ELEMENTWISE[name], tensors(shape, shape))


@pytest.mark.parametrize(
    "index",
    [0, -1, (1, 2), slice(1, 3), (slice(None), slice(0, 3, 2)), [2, 0, 2, 2], (None, 1), ..., []],
    ids=str,
)
def test_gradients_of_taking_parts(index):
    """Also of a row that is taken three times, and of taking nothing."""
    (x,) = tensors((3, 4))
    assert np.array_equal(x[index].data, x.data[index])
    if x[index].data.size:
        assert_gradients(lambda x: x[index] * x[index], [x])
    else:
        assert not np.any(x[index].rule(x[index].data)[0])


def test_a_row_taken_three_times_gets_three_gradients():
    (x,) = tensors((3, 2))
    y = x[[2, 0, 2, 2]]
    total(y).backward()
    factors = 1.0 + np.arange(8).reshape(4, 2) / 7
    assert np.allclose(x.grad, [factors[1], [0.0, 0.0], factors[0] + factors[2] + factors[3]])


@pytest.mark.parametrize("shapes", [((4,), (4,)), ((3, 4), (4,))], ids=str)
def test_gradients_of_dot(shapes):
    assert_gradients(dot, tensors(*shapes))


def test_gradients_of_stack_and_cat():
    x, y, z = tensors((3,), (3,), (2,))
    for dim in (0, 1):
        assert_gradients(lambda x, y, dim=dim: stack([x, y, x], dim), [x, y])
    assert_gradients(lambda x, y, z: cat([z, x, y, z]), [x, y, z])


def test_gradients_of_softmax_and_layernorm():
    x, weight, bias = tensors((5,), (5,), (5,))
    assert_gradients(lambda x: softmax_values(x, 2.0), [x])
    assert_gradients(layernorm, [x, weight, bias])


def test_whole_numbers_become_floats():
    x = Tensor([1, 2])
    assert x.data.dtype == np.float64
    assert (Tensor(3) / 2).data == 1.5


def test_a_tensor_shares_the_memory_of_the_array_that_it_is_given():
    """As torch.from_numpy does. Whoever writes into the array changes the Tensor."""
    array = np.array([1.0, 2.0])
    x = Tensor(array)
    array[0] = 5.0
    assert x.data.tolist() == [5.0, 2.0]
    y = x[1:]
    y.data[0] = 7.0
    assert array.tolist() == [5.0, 7.0]


def test_gradients_never_share_memory():
    """Both parents of + are handed the same dy. Changing one's grad must not change the other's."""
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    total(a + b).backward()
    a.grad *= 100.0
    assert b.grad.tolist() == [1.0, 1.0 + 1 / 7]


def test_grad_is_none_until_backward_reaches_the_node():
    a, b, c = Tensor(2.0), Tensor(3.0), Tensor(4.0)
    y = a * b
    assert a.grad is None and y.grad is None and repr(a) == "Tensor(data=2.0, grad=None)"
    y.backward()
    assert (a.grad, b.grad, y.grad) == (3.0, 2.0, 1.0) and c.grad is None
    assert isinstance(a.grad, np.ndarray) and repr(a) == "Tensor(data=2.0, grad=3.0)"


def test_a_loss_is_one_number():
    with pytest.raises(ValueError, match=r"backward: got shape \(2,\); expected one number, the"):
        (Tensor([1.0, 2.0]) * 2.0).backward()


def test_length_and_rows():
    x = Tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert (len(x), x.shape) == (3, (3, 2))
    assert [row.data.tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


@pytest.mark.parametrize(
    "shape, wrong", [((2, 3), (3,)), ((2, 3), ()), ((2, 3), (3, 2)), ((2, 1), (3,)), ((2,), (1,))]
)
def test_a_gradient_has_the_shape_of_what_it_is_for(shape, wrong):
    """Numpy would stretch such a gradient without a word, and each number would get a wrong one."""
    x = Tensor(np.ones(shape))
    y = Tensor(1.0, (x,), lambda dy: (np.ones(wrong),))
    with pytest.raises(ValueError, match=r"backward: got a gradient of shape \(.*expected \(2,"):
        y.backward()


@pytest.mark.parametrize("data", [None, [1.0, None], 1j, np.array([1j]), "1.5", [Tensor(1.0)]])
def test_what_is_not_a_real_number_is_refused(data):
    with pytest.raises(ValueError, match=r"Tensor: got the dtype .*; expected real numbers"):
        Tensor(data)
    with pytest.raises(ValueError, match="Tensor: got"):
        Tensor(1.0) * data
