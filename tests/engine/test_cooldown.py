import pytest

from engine.optim import warm_up_cool_down


def test_warm_up_and_cool_down():
    shares = [warm_up_cool_down(done, 1000) for done in range(1000)]
    assert shares[0] == pytest.approx(0.01)
    assert shares[99] == pytest.approx(1.0)
    assert max(shares) <= 1.0 + 1e-9
    assert shares[550] == pytest.approx(0.5)
    assert 0 < shares[999] < 0.01
    assert shares[:100] == sorted(shares[:100])
    assert shares[100:] == sorted(shares[100:], reverse=True)
