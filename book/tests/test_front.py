"""The first pages: what is computed in them, how it is drawn, and that it is current."""

import re
from types import SimpleNamespace
from xml.etree import ElementTree

import check
import front
import pytest
import speed
from common import ROOT, Problem

PAGES = ["README.md", "STEPS.md", "book/front-light.svg", "book/front-dark.svg"]
REPORT = """step-* · 4 weights · loss 0.8 · held-out 0.9 · bits per byte 0.30 · * ms/step
uniform 6.1 · letters 4.4 · pairs 3.1 · fours 1.3 · floor 0.2 bits per byte
Once.

Twice
"""


def copied(folder):
    (folder / "book").mkdir()
    for name in [*PAGES, "book/speed.svg"]:
        (folder / name).write_text((ROOT / name).read_text())
    return folder


def test_the_first_pages_are_current(chain):
    assert front.stale(ROOT, chain) == []


@pytest.mark.parametrize(
    "page, pattern, planted",
    [
        ("README.md", r"(?<=<!-- made: engine -->)\d", "9"),
        ("README.md", r"(?<=\*\*Count pairs)", " of letters"),
        ("STEPS.md", r"(?<=/commit/)[0-9a-f]{4}", "abcd"),
        ("STEPS.md", r"(?<=<a id=\"step-01\"></a>\n)(.*\n\n\*\*Idea\.\*\* )", r"\1Only. "),
        ("book/front-light.svg", r'cy="\d', 'cy="9'),
        ("book/front-dark.svg", "#58a6ff", "#000"),
    ],
)
def test_what_is_out_of_date_is_found(chain, tmp_path, page, pattern, planted):
    place = copied(tmp_path) / page
    text, count = re.subn(pattern, planted, place.read_text(), count=1)
    assert count == 1 and text != place.read_text()
    place.write_text(text)
    assert f"{page} is out of date; expected python3 book/front.py" in front.stale(tmp_path, chain)


@pytest.mark.parametrize("mark", ["<!-- made: engine -->", "<!-- made: table -->"])
def test_a_place_that_is_gone_or_unknown_is_found(chain, tmp_path, mark):
    copied(tmp_path)
    for name in ("README.md", "STEPS.md"):
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text.replace(mark, "<!-- made: engin -->"))
    [problem] = front.stale(tmp_path, chain)
    assert "'engin'" in problem and "expected each place filled" in problem


def test_a_mark_inside_a_line_never_begins_one():
    """A line that begins with a comment is no text for Markdown, but HTML as it stands."""
    for name in ("README.md", "STEPS.md"):
        for line in (ROOT / name).read_text().splitlines():
            assert re.fullmatch(r"<!-- (made: [\w ]+|end) -->|(?!\s*<!-- (made:|end -->)).*", line)


def test_an_act_has_fewer_lines_than_the_book_promises(chain, monkeypatch):
    front.check_lines(chain)
    (end,) = [step for step in chain if step.trailers.get("Ends") == "act-2"]
    lines = front.code_lines(end.commit, "engine")
    assert 500 < lines < front.MOST_LINES["act-2"]["engine"]
    monkeypatch.setitem(front.MOST_LINES, "act-2", {"engine": lines})
    with pytest.raises(Problem, match=rf"got {lines} lines in engine/ at {end.tag}; expected"):
        front.check_lines(chain)


def test_lines_of_the_engine(project):
    project.write("engine/a.py", '"""Doc."""\n\nx = 1  # one\n\n\n# two\n')
    project.write("engine/b.txt", "no Python\n")
    project.commit("an engine")
    assert front.code_lines("HEAD", "engine", project.folder) == 3


def test_budgets_are_not_for_readers():
    for name in ("README.md", "STEPS.md", "steps.py"):
        assert not re.search(r"\bbudget", (ROOT / name).read_text(), re.I)


def test_places_are_filled_in_a_line_and_between_lines():
    text = "a <!-- made: x -->old<!-- end --> b\n<!-- made: y -->\n\n<!-- end -->\n"
    new = front.filled(text, {"x": "1", "y": "\n- 2\n"})
    assert new == "a <!-- made: x -->1<!-- end --> b\n<!-- made: y -->\n- 2\n<!-- end -->\n"
    assert front.filled(new, {}) == new


def test_losses_yardsticks_and_samples_of_a_report():
    assert front.held_out(REPORT) == "0.30 bits/byte"
    assert front.held_out("step-* · held-out 2.5 · * s") == "2.5" and front.held_out("") == "-"
    assert front.yardsticks(REPORT)["floor"] == 0.2
    assert front.written(REPORT) == "Once.\n\nTwice"


def test_only_what_trains_on_stories_has_a_loss_in_the_chart_of_stories():
    slugs = ["pairs", "stories", "close", "kernel"]
    steps = [SimpleNamespace(number=n, tag=str(n), slug=slug) for n, slug in enumerate(slugs)]
    names = "step-* · held-out 2.5 · * s\nuniform 3.3 · pairs 2.6\nanna bo\n"
    reports = [names, REPORT, REPORT.replace("0.30", "0.26"), names]
    expected = dict(zip("0123", reports))
    assert front.losses(steps, expected) == ({0: 2.5}, {1: 0.3, 2: 0.26})
    assert front.last_stories(steps, expected) is steps[2]


def test_a_time_is_kept_until_the_loss_changes():
    step = SimpleNamespace(tag="step-00")
    book = "| [step-00](#step-00) The start | An idea. | 2.5 | 0.7 s | 1 | 2 min | x |"
    assert front.seconds(step, "2.5", book, {"step-00": 1.23}) == "0.7 s"
    assert front.seconds(step, "2.4", book, {"step-00": 1.23}) == "1.2 s"
    with pytest.raises(Problem, match="step-00 has a new loss; expected its time"):
        front.seconds(step, "2.4", book, {})


def test_record_hands_on_the_times_it_took(monkeypatch, tmp_path):
    class Proof:
        def __init__(self, *_):
            self.steps = [SimpleNamespace(number=n, tag=f"step-{n:02d}") for n in (0, 1)]

        def section(self, step):
            return "old\n"

        def prove(self, numbers, recording):
            return [check.Result("step-01", train_seconds=1.5, section="new\n")]

    (tmp_path / "STEPS.md").write_text("front\nold\n")
    handed_on = []
    monkeypatch.setattr(check, "Check", Proof)
    monkeypatch.setattr(check, "candidate", lambda root: "a commit")
    monkeypatch.setattr(check, "write_pages", lambda *arguments: handed_on.append(arguments))
    assert check.record(["01"], tmp_path) == 0
    assert (tmp_path / "STEPS.md").read_text() == "front\nnew\n"
    assert handed_on == [(tmp_path, {"step-01": 1.5})]


def test_the_last_race_counts():
    race = "```console\n$ python -m model.instruments.bench --rounds 5\n{}```\n"
    first = race.format("tiny B16 T64\n  ratio 2.39\nworst ratio 2.39\n")
    last = race.format(
        "tiny B16 T64\n  …\n  ratio 0.66\nsmall B12\n  ratio 0.59\nworst ratio 0.66\n"
    )
    assert front.races(first + "text\n" + last) == {"tiny": "0.66", "small": "0.59"}


def test_an_act_ends_with_the_step_that_says_so():
    steps = [SimpleNamespace(trailers=t) for t in ({}, {"Ends": "act-1"}, {}, {"Ends": "act-2"})]
    assert front.acts(steps) == [steps[:2], steps[2:]]
    assert front.acts(steps[:3]) == [steps[:2], steps[2:3]]


def test_speeds_are_read_off_the_picture_of_speeds():
    steps = [SimpleNamespace(number=n, tag=f"step-{n:02d}", slug=f"s{n}") for n in (8, 9, 15)]
    drawn = speed.draw(steps, {"step-08": 1000, "step-09": 10, "step-15": 12345})
    assert front.speeds(drawn, steps) == pytest.approx({8: 1000, 9: 10, 15: 12345}, rel=0.01)
    steps[1].slug = "another"
    with pytest.raises(Problem, match=r"got step 09 s9 in book/speed\.svg; expected"):
        front.speeds(drawn, steps)


def test_marks_hold_all_numbers():
    assert front.tenths([2.41, 2.66]) == [2.4, 2.5, 2.6, 2.7]
    assert front.powers(2, [0.235, 3.1]) == [0.125, 0.25, 0.5, 1, 2, 4]
    marks = front.powers(10, [150, 9000])
    assert front.height(100, marks, (20, 120), front.math.log) == 120
    assert front.height(1000, marks, (20, 120), front.math.log) == 70


def test_the_pictures_are_small_svg_and_differ_in_colours_only():
    light, dark = [(ROOT / f"book/front-{shade}.svg").read_text() for shade in ("light", "dark")]
    for text in (light, dark):
        assert ElementTree.fromstring(text).tag.endswith("svg") and len(text) < 60_000
    assert light != dark
    assert re.sub("#[0-9a-f]+", "", light) == re.sub("#[0-9a-f]+", "", dark)
    assert re.search(
        r'<img src="book/front-light.svg" width="\d+" alt="[^"]{100}',
        (ROOT / "README.md").read_text(),
    )
