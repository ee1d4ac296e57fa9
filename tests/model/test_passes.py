from model import train as program


class Noting:
    """In the place of Progress: notes what comes, and lets nothing be learnt from it."""

    def __init__(self, items):
        Noting.items = items

    def __iter__(self):
        return iter(())


def test_each_pass_goes_through_all_names_in_another_order(monkeypatch):
    monkeypatch.setattr(program, "Progress", Noting)
    names = [chr(97 + i) for i in range(26)]
    program.train(program.GPT(program.random.Random(2)), names, learning_rate=0.1, passes=3)
    passes = [Noting.items[i : i + 26] for i in (0, 26, 52)]
    assert len(Noting.items) == 78
    assert all(sorted(items) == names for items in passes)
    assert passes[0] != passes[1] != passes[2]
