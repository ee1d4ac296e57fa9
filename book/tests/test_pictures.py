"""Pictures: that they are current, can be read, and that what they need is run once."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import keys
import pictures
import pytest
from common import ROOT, Problem, read_chain
from drawings import svg

SPACE = "{http://www.w3.org/2000/svg}"
FILES = sorted(pictures.file_name(name) for name in pictures.NAMES)


def copied(folder):
    (folder / "book").mkdir()
    for name in ("STEPS.md", *FILES):
        (folder / name).write_text((ROOT / name).read_text())
    return folder


def test_the_pictures_are_current(chain):
    assert pictures.stale_pictures(ROOT, chain) == []


def test_a_picture_whose_steps_code_has_changed_is_found(chain, monkeypatch):
    real = pictures.code_key
    changed = lambda slug, *rest: "other" if slug == "average" else real(slug, *rest)  # noqa: E731
    monkeypatch.setattr(pictures, "code_key", changed)
    expected = "book/attention.svg is out of date; expected .venv/bin/python book/pictures.py"
    assert pictures.stale_pictures(ROOT, chain) == [expected]


def test_a_picture_that_is_missing_or_of_an_unknown_step_is_found(chain, tmp_path):
    copied(tmp_path)
    (tmp_path / "book/nudge.svg").unlink()
    without = [step for step in chain if step.slug != "backward"]
    found = pictures.stale_pictures(tmp_path, without)
    assert [line.split(";")[0] for line in found] == [
        "book/backward.svg is drawn from backward, which is no step",
        "book/nudge.svg is missing",
    ]


def test_a_picture_of_other_numbers_in_the_book_is_found(chain, tmp_path):
    book = copied(tmp_path) / "STEPS.md"
    _, mean, spread = pictures.drawing("worth").read(book.read_text())[0]
    book.write_text(book.read_text().replace(f"| {mean} ± {spread} |", f"| 9.876 ± {spread} |", 1))
    [found] = pictures.stale_pictures(tmp_path, chain)
    assert found.startswith("book/worth.svg is out of date")


def test_a_new_number_of_a_step_changes_no_key(chain):
    moved = [replace(step, number=step.number + 3) for step in chain]
    for name in ("nudge", "attention"):
        assert pictures.key_of(name, moved) == pictures.key_of(name, chain)


def test_code_is_run_in_the_folder_of_its_step_and_once(project, monkeypatch):
    steps = read_chain("steps", project.folder)
    code = "from model.rate import RATE\nresult = [RATE, 'ü']"
    assert pictures.ran("middle", code, steps, root=project.folder) == [0.5, "ü"]
    monkeypatch.setattr(pictures, "sandbox", None)
    assert pictures.ran("middle", code, steps, root=project.folder) == [0.5, "ü"]
    with pytest.raises(Problem, match="there is no step 'none'; expected one"):
        pictures.ran("none", code, steps, root=project.folder)


def test_a_run_that_fails_is_a_problem(project):
    steps = read_chain("steps", project.folder)
    with pytest.raises(Problem, match="start: ZeroDivisionError"):
        pictures.ran("start", "1 / 0", steps, root=project.folder)


@pytest.mark.parametrize("path", FILES)
def test_a_picture_is_small_and_can_be_read(path):
    source = (ROOT / path).read_text()
    tree = ElementTree.fromstring(source)
    assert len(source.encode()) < 60_000
    assert tree.get("width") == "480" and tree.get("font-size") == "16"
    assert len(tree.findtext(f"{SPACE}title")) > 10 and len(tree.findtext(f"{SPACE}desc")) > 90
    assert "prefers-color-scheme: dark" in tree.findtext(f"{SPACE}style")
    kinds = {
        node.get("class") for node in tree if node.tag not in (SPACE + "title", SPACE + "desc")
    }
    assert kinds - {None} <= svg.LIGHT.keys() and "font-size" not in source.split("<title>")[1]


@pytest.mark.parametrize("path", FILES)
def test_letters_lie_inside_and_not_on_each_other(path):
    tree, boxes = ElementTree.fromstring((ROOT / path).read_text()), []
    for node in tree.iter(f"{SPACE}text"):
        wide = 8.0 * len(node.text)  # an average letter of Arial is narrower
        x, y = float(node.get("x")), float(node.get("y"))
        left = x - {"start": 0, "middle": wide / 2, "end": wide}[node.get("text-anchor")]
        boxes.append((left, y - 11, left + wide, y + 2, node.text))
    for left, top, right, bottom, words in boxes:
        assert left > -6 and right < 486, words
        assert top >= 0 and bottom <= float(tree.get("height")), words
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            apart = one[0] >= other[2] - 6 or other[0] >= one[2] - 6
            assert apart or one[1] >= other[3] or other[1] >= one[3], (one[4], other[4])


@pytest.mark.parametrize("shades", [svg.LIGHT, svg.DARK])
def test_letters_stand_out_from_the_paper(shades):
    def light(colour):
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(share * p for share, p in zip((0.2126, 0.7152, 0.0722), parts))

    for name in ("ink", "grey", "blue", "orange", "green"):
        low, high = sorted((light(shades[name]), light(shades["paper"])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, name


def test_every_picture_that_the_book_shows_is_there():
    text = (ROOT / "STEPS.md").read_text()
    for name in re.findall(r"\(book/([\w-]+\.svg)\)", text):
        assert (ROOT / "book" / name).exists(), name


def test_a_key_is_of_meaning_not_of_comments():
    assert keys.meaning("x = 1  # one\n") == keys.meaning("x = 1\n") != keys.meaning("x = 2\n")
