import numpy as np
import pytest

from tests.compare import TOLERANCES, assert_close

GRADIENT = np.array([[0.5, -1.0], [2.0, 0.25]])


@pytest.mark.parametrize("kind", TOLERANCES)
@pytest.mark.parametrize("wrong", [0.0 * GRADIENT, 1.1 * GRADIENT, -GRADIENT, GRADIENT[0]])
def test_tolerances_have_teeth(kind, wrong):
    """A gradient that is 0, too large by a tenth, of the wrong sign or shape is found out."""
    assert_close([GRADIENT], [GRADIENT.copy()], kind)
    with pytest.raises(AssertionError):
        assert_close([wrong], [GRADIENT], kind)


@pytest.mark.parametrize("kind", TOLERANCES)
def test_what_is_not_a_number_is_not_close(kind):
    with pytest.raises(AssertionError):
        assert_close(np.array([1.0, np.nan]), np.array([1.0, 2.0]), kind)
