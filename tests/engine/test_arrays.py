import numpy as np
import pytest

from engine.autograd import Tensor
from engine.cpu import unbroadcast
from engine.nudge import nudge
from engine.ops import cat, embedding, layernorm, softmax
from tests.compare import assert_close

# A shape for each input: with sizes of 1, stretched, and with no axis at all.
SHAPES = [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((2, 3), ()), ((1,), (2, 1, 3))]

ELEMENTWISE = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / (b * b + 1.0),
    "cube": lambda a, b: a**3 + b,
    "exp": lambda a, b: (a * b).exp(),
    "log": lambda a, b: (a * a + b * b + 1.0).log(),
    "tanh": lambda a, b: (a + b).tanh(),
    "relu": lambda a, b: (a + b).relu(),
    "gelu": lambda a, b: (a - b).gelu(),
    "negate": lambda a, b: -a * b,
}


def tensors(*shapes, seed=1):
    rng = np.random.default_rng(seed)
    return [Tensor(rng.uniform(-1.5, 1.5, shape)) for shape in shapes]


def total(y):
    """All numbers of y, each times another factor, added up."""
    return sum(y[i] * (1.0 + k / 7) for k, i in enumerate(np.ndindex(y.shape)))


def assert_gradients(operation, weights):
    def loss(weights):
        return total(operation(*weights))

    measured = nudge(loss, weights, h=1e-5)
    for weight in weights:
        weight.grad = None
    loss(weights).backward()
    assert_close([weight.grad for weight in weights], measured, "nudges")


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_gradients_of_stretched_arrays(name, shapes):
    assert_gradients(ELEMENTWISE[name], tensors(*shapes))


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
    total(y * 0.0 + y).backward()
    factors = 1.0 + np.arange(8).reshape(4, 2) / 7
    assert_close(x.grad, [factors[1], [0.0, 0.0], factors[0] + factors[2] + factors[3]])


def test_gradients_of_cat():
    x, y, z = tensors((3, 2), (3, 2), (1, 2))
    assert_gradients(lambda x, y, z: cat([z, x, y, z]), [x, y, z])
    assert_gradients(lambda x, y: cat([x, y, x], dim=1), [x, y])


def test_gradients_of_softmax_and_layernorm():
    x, weight, bias = tensors((3, 5), (5,), (5,))
    assert_gradients(lambda x: softmax(x, 2.0), [x])
    assert_gradients(layernorm, [x, weight, bias])


def test_a_stretched_vector_gets_the_sum_over_the_rows():
    """(2, 3) + (3): each number of the vector is used in two rows."""
    dy = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    assert unbroadcast(dy, (3,)).tolist() == [11, 22, 33]
    assert unbroadcast(dy, (2, 1)).tolist() == [[6], [60]]
    assert unbroadcast(dy, ()).tolist() == 66
    x, y = Tensor(np.zeros((2, 3))), Tensor([1.0, 2.0, 3.0])
    total(x + y).backward()
    assert (x.grad.shape, y.grad.shape) == ((2, 3), (3,))


def test_no_numbers_at_all():
    x, y = Tensor(np.zeros((0, 3))), Tensor(np.ones(3))
    product = (x * y) @ y[:, None]  # (0, 3) @ (3, 1) -> (0, 1)
    assert product.shape == (0, 1)
    (product.sum() + y[0]).backward()
    assert y.grad.tolist() == [1.0, 0.0, 0.0]


def test_arrays_that_do_not_lie_in_one_piece():
    data = np.arange(24.0).reshape(4, 6)[::2, ::-3].T
    assert not data.flags.c_contiguous
    assert_gradients(lambda a, b: a * b + a / (b * b + 1.0), [Tensor(data / 10), *tensors((2, 2))])


def test_whole_numbers_become_floats():
    x = Tensor([1, 2])
    assert x.data.dtype == np.float64
    assert (Tensor(3) / 2).data == 1.5


def test_numpy_arrays_on_either_side():
    x, array = Tensor([1.0, 2.0]), np.array([3.0, 4.0])
    for y in (x * array, array * x):
        assert isinstance(y, Tensor) and y.data.tolist() == [3.0, 8.0]
    assert (array - x).data.tolist() == [2.0, 2.0]


def test_numbers_of_numpy():
    x = Tensor([1.0, 2.0])
    for number in (np.int64(3), np.float32(3.0), np.float64(3.0)):
        assert (x * number).data.tolist() == (number * x).data.tolist() == [3.0, 6.0]


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


def test_the_gradient_of_a_weight_grows_in_place():
    """So that it may lie where whoever needs it put it."""
    w, array = Tensor([1.0, 2.0]), np.zeros(2)
    w.grad = array
    for _ in range(2):
        total(w * w).backward()
    assert w.grad is array and array.tolist() == [4.0, 8.0 * (1 + 1 / 7)]


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


def test_comparisons_are_arrays_of_true_and_false():
    x, y = Tensor([0.0, -2.0, 3.0]), Tensor([0.0, 1.0, 1.0])
    assert isinstance(x == 0.0, np.ndarray) and (x == 0.0).tolist() == [True, False, False]
    assert (x != y).tolist() == [False, True, True]
    assert (x < y).tolist() == (y > x).tolist() == [False, True, False]
    assert (x <= y).tolist() == (y.data >= x).tolist() == [True, True, False]
    assert (x[:, None] == y).shape == (3, 3)
    with pytest.raises(ValueError, match="dtype <U1; expected real numbers"):
        _ = x == np.array(["a"])


def test_what_is_no_number_is_compared_by_python():
    x = Tensor([0.0, 1.0])
    for other in (None, "x", [0.0, 1.0]):
        assert (x == other) is (other == x) is False
        assert (x != other) is (other != x) is True
    assert x in [None, "x", x] and None not in [x]
    with pytest.raises(TypeError, match="'<' not supported between instances of 'Tensor' and"):
        _ = x < None


def test_a_tensor_is_itself_in_sets_and_dicts():
    x, y = Tensor([1.0, 2.0]), Tensor([1.0, 2.0])
    assert x in {x} and x not in {y} and len({x: 1, y: 2}) == 2


def test_truth_and_float_are_those_of_one_number():
    assert not Tensor(0.0) and not Tensor([0.0]) and Tensor([[2.0]])
    assert float(Tensor(2.5)) == float(Tensor([[2.5]])) == 2.5
    with pytest.raises(ValueError, match="truth value of an array with more than one element"):
        bool(Tensor([1.0, 2.0]))
    with pytest.raises(ValueError, match="size 1"):
        float(Tensor([1.0, 2.0]))


def test_axes_and_numbers_are_counted():
    x = Tensor(np.zeros((2, 1, 4)))
    assert (x.ndim, x.size) == (3, 8) and (Tensor(1.0).ndim, Tensor(1.0).size) == (0, 1)


@pytest.mark.parametrize("data", [None, [1.0, None], 1j, np.array([1j]), "1.5", [Tensor(1.0)]])
def test_what_is_not_a_real_number_is_refused(data):
    with pytest.raises(ValueError, match=r"Tensor: got the dtype .*; expected real numbers"):
        Tensor(data)
    with pytest.raises(ValueError, match="Tensor: got"):
        Tensor(1.0) * data


def test_an_index_may_change_before_backward():
    (x,) = tensors((3, 2))
    for index in (np.array([0, 2]), [0, 2], (np.array([0, 2]), np.array([1, 1]))):
        x.grad = None
        loss = total(x[index])
        for entry in index if isinstance(index, tuple) else (index,):
            entry[0] = 1
        loss.backward()
        assert not np.any(x.grad[1]) and np.any(x.grad[0])


def test_exponents_of_numpy():
    x = Tensor([2.0, 3.0])
    for n in (np.int64(2), np.float32(2.0), np.float64(2.0)):
        assert (x**n).data.tolist() == [4.0, 9.0]
    with pytest.raises(ValueError, match="power: got an exponent of type complex; expected a"):
        x ** np.complex128(1j)


def test_cat_takes_arrays_too():
    x = Tensor([1.0, 2.0])
    y = cat([x, np.array([3.0])])
    total(y).backward()
    assert y.data.tolist() == [1.0, 2.0, 3.0] and x.grad.tolist() == [1.0, 1.0 + 1 / 7]


@pytest.mark.parametrize(
    "shape, index, message",
    [
        ((3, 2), [0, -1], "got -1; expected 0 to 2"),
        ((3, 2), [[3]], "got 3; expected 0 to 2"),
        ((3, 2), [0.0], r"got weight \(3, 2\) and index of float64; expected \(V, C\) and whole"),
        ((3, 2), [True], "got weight .* and index of bool; expected"),
        ((3, 2, 2), [0], r"got weight \(3, 2, 2\) and index of int64; expected \(V, C\)"),
    ],
)
def test_embedding_takes_whole_numbers_from_0(shape, index, message):
    with pytest.raises(ValueError, match=f"embedding: {message}"):
        embedding(Tensor(np.ones(shape)), index)


def test_embedding_keeps_its_own_index():
    (weight,) = tensors((3, 2))
    for index in ([2, 0, 2], np.array([2, 0, 2])):
        weight.grad = None
        loss = embedding(weight, index).sum()
        index[0] = 1
        loss.backward()
        assert weight.grad[:, 0].tolist() == [1.0, 0.0, 2.0]


def test_layernorm_wants_as_many_weights_as_a_row_has_numbers():
    x, weight, table = tensors((3, 4), (4,), (3, 4))
    for wrong in [(table, weight), (weight, table), (weight[:1], weight)]:
        with pytest.raises(ValueError, match=r"layernorm: got x \(3, 4\), weight .*; expected"):
            layernorm(x, *wrong)
