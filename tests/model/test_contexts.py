from model.count import SMOOTHING, count_after, windows


def test_windows_reach_back_over_the_beginning_by_marks():
    assert list(windows(["bo"], 2)) == [((0, 0), 2), ((0, 2), 15), ((2, 15), 0)]
    assert list(windows(["bo"], 0)) == [((), 2), ((), 15), ((), 0)]


def test_a_row_that_nobody_filled_knows_nothing():
    counts = count_after(["bo"], 2)
    assert counts[0, 2][15] == 1 + SMOOTHING
    assert set(counts[26, 26]) == {SMOOTHING}
