from model.services import watch


def test_best():
    """Write best(lines) in model/services/watch.py: the step at which the loss on held-out text was
    lowest, of equal ones the earliest; None where the log never asked. (lines: what read_log
    returns.)

    A model that goes on learning a small text by heart is best long before the end.
    """
    assert hasattr(watch, "best"), "model/services/watch.py has no best yet"
    losses = [4.0, 3.0, 2.5, 2.5, 2.75, 3.5]
    steps = [{"step": t, "loss": 9.0 - t} for t in range(1, 13)]
    for line, held_out in zip(steps[1::2], losses):
        line["held_out"] = held_out
    assert watch.best([{"floor": 0.25}, *steps]) == 6
    assert watch.best([{"floor": None}, *steps[:5]]) == 4
    assert watch.best([{"floor": 0.25}, *steps[:1]]) is None
    assert watch.best([]) is None
