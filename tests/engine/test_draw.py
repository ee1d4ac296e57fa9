from engine.autograd import Value
from engine.draw import draw


def test_drawing_shows_what_each_node_knows():
    a, b = Value(3.0), Value(-2.0)
    c = a * b
    d = c + 10.0
    (d * 2.0).backward()
    lines = draw(d, a=a, b=b, c=c).splitlines()
    assert [line.split() for line in lines] == [
        ["slope", "grad"],
        ["4", "2"],
        ["├─", "c", "=", "-6", "1", "2"],
        ["│", "├─", "a", "=", "3", "-2", "-4"],
        ["│", "└─", "b", "=", "-2", "3", "6"],
        ["└─", "10", "1", "2"],
    ]


def test_a_node_used_twice_is_opened_once():
    a = Value(1.5)
    b = a + a
    lines = draw(b * b, a=a, b=b).splitlines()
    assert len(lines) == 6
    assert lines[-1].split() == ["└─", "b", "=", "3", "(again)", "3", "0"]
