"""The parts of the web book: text, diffs, glossary. What book/tests/browser sees is the pages."""

import importlib
import io
import json
import subprocess
import sys
import zipfile
from fractions import Fraction
from types import SimpleNamespace

import pytest

pytest.importorskip("markdown_it")
pytest.importorskip("pygments")

from common import ROOT

sys.path[:0] = [str(ROOT / "book/site")]

import build  # noqa: E402
import colour  # noqa: E402
import diff  # noqa: E402
import glossary  # noqa: E402
import links  # noqa: E402
import pages  # noqa: E402
import runner  # noqa: E402
import search  # noqa: E402
import source  # noqa: E402
import text  # noqa: E402

STEPS = """# A book

<a id="contents"></a>
## All steps

<!-- made: table -->
[step-00](#step-00)
<!-- end -->

<a id="step-00"></a>
## step-00 · The start

**Idea.** A **loss** tells how bad it is. It is a number.

**Read the diff.** 1. `model/start.py`: the docstring. 2. `RATE` in `model/rate.py`.

**Run it.**
```console
$ git checkout -q step-00
$ python3 -q
>>> 1 + 1
2
```

[contents](#contents)

<a id="end"></a>
## Glossary

| word | first in |
|---|---|
| loss, rate (speed) | [step-00](#step-00) |
"""
LINKS = links.Links({"step-00": "step-00.html"}, {"ab12": "step-00.html#diff"}, "STEPS.md")


def rendered(markdown, **options):
    return text.Text({"x.svg", "y-light.svg", "y-dark.svg"}, {"x.svg"}).html(
        markdown, LINKS, **options
    )


@pytest.fixture
def small(project):
    """The small project with a book that names what its steps change."""
    project.write("STEPS.md", STEPS)
    (project.folder / "book").mkdir(exist_ok=True)
    project.write("book/README.md", "# Mend\n")
    project.commit("the book of a site")
    return project


def test_sections_have_the_names_that_links_use():
    found = source.sections(STEPS)
    assert [part.name for part in found] == ["contents", "step-00", "end"]
    assert found[1].title == "step-00 · The start" and found[1].body.startswith("**Idea.**")
    assert source.sections("## No anchor: here\n")[0].name == "no-anchor-here"


def test_raw_html_does_not_get_through():
    html = rendered("<script>alert(1)</script>\n\na <b onclick='x'>b</b> <!-- made: x -->c\n")
    assert "<script" not in html and "<b " not in html and "made" not in html
    assert "javascript:" not in rendered("[a](javascript:alert)").replace("(javascript:", "")
    assert 'id="here"' in rendered('<a id="here"></a>\ntext\n')


def test_links_lead_to_pages():
    html = rendered("[a](#step-00) [b](../../commit/ab12) [c](README.md#legend) [d](STEPS.md)")
    html += rendered("[e](../notebooks/a.ipynb)")
    places = ("step-00.html", "step-00.html#diff", "readme.html#legend", "contents.html")
    for place in (*places, "notebooks/a.ipynb"):
        assert f'href="{place}"' in html


def test_a_picture_has_a_dark_twin_where_there_is_one():
    html = rendered(
        '<picture>\n<img src="book/y-light.svg" width="8" alt="A &lt; b">\n</picture>\n'
    )
    assert 'class="light" src="pictures/y-light.svg"' in html and "y-dark.svg" in html
    assert 'class="paper" src="pictures/x.svg" alt="words"' in rendered("![words](book/x.svg)")
    assert "<img" not in rendered("![words](book/none.svg)")
    large = text.Text({"x.svg"}, large={"x.svg"}).html("![words](book/x.svg)", LINKS)
    assert '<span class="wide" tabindex="0"' in large


def test_bold_run_ins_become_headings():
    html = rendered("**Idea.** A thing.\n\n**Not one** of them.\n")
    assert '<h2 id="idea">Idea</h2>' in html and "<strong>Not one</strong>" in html


def test_a_session_is_a_block_of_its_own():
    html = rendered("```console\n$ make\nok <x>\n$ python3 -q\n>>> 1\n1\n$ ls\n```\n", runs=True)
    assert html.count("<pre") == 3 and html.count("data-session") == 1
    assert "ok &lt;x&gt;" in html and "<kbd>make</kbd>" in html


def test_stops_find_the_line_that_makes_a_name():
    lines = {"a.py": [(1, "x = f(2)", True), (2, "def f(x):", True)], "b.py": [(7, "y = 1", False)]}
    stops = links.Stops(lines)
    assert stops.find("a.py") == "a.py" and stops.find("f") == "a.py:2"
    assert stops.find("x = f(2)") == "a.py:1" and stops.find("y") == "b.py:7"
    assert stops.find("nothing") is None and stops.find("c.py") is None
    assert stops.used == {"a.py:2", "a.py:1", "b.py:7"}


def test_a_function_that_begins_above_the_diff_is_found_where_it_changes():
    text = "class A:\n    def f(x):\n        y = 1\n\n        return x\n\nz = 1\n"
    hunks = [[(" ", 4, 4), ("+", 0, 5), (" ", 5, 6)], [("-", 8, 0)]]
    change = source.Change("a.py", "a.py", "0", "1", hunks)
    lines = diff.shown_lines([change], {"1": text})["a.py"]
    assert (5, "    def f(x):", True) in lines and (5, "class A:", True) in lines
    assert links.Stops({"a.py": lines, "b.py": [(1, "f", True)]}).find("f") == "a.py:5"


def test_only_the_reading_of_the_diff_has_stops():
    stops = links.Stops({"a.py": [(3, "def f():", True)]})
    html = rendered("**Idea.** `f`.\n\n**Read the diff.** 1. `a.py`: `f`.\n", stops=stops)
    told = rendered("**Read the diff.** 1. It stops at 7. 2.\nThen more.\n", stops=stops)
    assert "at 7. <strong>2.</strong>" in told
    assert html.count("<a ") == 2 and "<strong>1.</strong> <a" in html and 'href="#a.py:3"' in html


def test_colours_keep_every_letter():
    code = 'def f(x):\n    """two\n    lines"""\n    return x < 1 & "s"\n'
    lines = colour.coloured(code, "a.py")
    assert len(lines) == 5 and lines[1].startswith("    <i class=s>") and "&lt;" in lines[3]
    assert colour.coloured("a < b\n", "a.txt") == ["a &lt; b", ""]
    assert colour.is_python("x = f(1)") and not colour.is_python("some words")
    assert not colour.is_python("word")


def test_reads_a_diff():
    shown = (
        "diff --git a/a.py b/a.py\nindex 1111..2222 100644\n--- a/a.py\n+++ b/a.py\n"
        "@@ -1,2 +1,2 @@ x\n one\n-two\n+three\n"
        "diff --git a/b.py b/b.py\nnew file mode 100644\nindex 0000..3333\n--- /dev/null\n"
        "+++ b/b.py\n@@ -0,0 +1 @@\n+--- four\n"
    )
    first, second = source.read_diff(shown)
    assert (first.path, first.kind, first.old, first.new) == ("a.py", "changed", "1111", "2222")
    assert first.hunks == [[(" ", 1, 1), ("-", 2, 2), ("+", 3, 2)]]
    assert second.kind == "new" and second.count("+") == 1 and second.count("-") == 0


def test_the_glossary_knows_the_sentence():
    parts = {part.name: part for part in source.sections(STEPS)}
    words = glossary.Glossary(parts["end"].body, parts)
    assert [term.word for term in words.terms] == ["loss", "rate"]
    assert words.terms[0].tip == "A loss tells how bad it is. (step-00)"
    assert words.terms[0].place == "step-00.html#word-loss"
    html = rendered("The loss and the loss.\n", words=words, tag="step-09")
    assert html.count('class="word"') == 1
    assert 'id="word-loss"' in rendered("A **loss** is.\n", words=words, tag="step-00")
    html = rendered(parts["end"].body, words=words, tag="glossary")
    assert html.count('class="word"') == 2 and "rate</a> (speed)" in html


def test_search_finds_parts_of_a_section():
    found = search.pieces("**Idea.** One `x`.\n\n**Next.** [two](#a)\n")
    assert found == [("Idea", "Idea. One x."), ("Next", "Next. two")]


def test_a_release_tells_what_it_changed():
    lines = ["", "The chain, before and now:", "", " 1:  aa = 1:  bb step-00: Same"]
    lines += [" 2:  cc ! 2:  dd step-01: Other", " -:  --- > 3:  ee step-02: Added"]
    html = pages.compared(lines)
    assert (
        "Changed, by their names before: 1" in html
        and "New: 1" in html
        and "step-01: Other" in html
    )
    step = SimpleNamespace(title="Other", tag="step-04")
    assert '<a href="step-04.html">step-01: Other</a>' in pages.compared(lines, [step])


def test_the_table_of_steps_knows_the_headings_of_its_columns():
    html = pages.labelled(rendered("| step | lines |\n|---|---|\n| 00 | 7 |\n"))
    assert '<td data-head="step">00' in html and '<td data-head="lines">7' in html


def test_an_archive_is_the_same_every_time():
    files = {"b.py": "b", "a.py": "a"}
    assert runner.archive(files) == runner.archive(dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(runner.archive(files))) as packed:
        assert packed.namelist() == ["a.py", "b.py"]


def test_a_solution_fits_a_file_whose_lines_have_moved():
    patch = "diff --git a/a/b.py b/a/b.py\n--- a/a/b.py\n+++ b/a/b.py\n"
    patch += "@@ -7,2 +7,3 @@\n one\n+new\n two\n"
    text, change = runner.solved("a/b.py", "zero\none\ntwo\nthree\n", patch)
    assert text == "zero\none\nnew\ntwo\nthree\n" and change.path == "a/b.py"
    assert runner.place_to_write(change) == 3
    assert "<ins data-n=3>new" in diff.render_hunks(change, {change.old: text, change.new: text})


def test_the_task_of_an_exercise_flows_but_its_formulas_stay():
    told = f"Write\n\n    {'a ' * 39}word\n    goes on.\n    y = x\n    z = y\n    "
    assert runner.flowing(told) == f"Write\n\n{'a ' * 39}word goes on.\ny = x\nz = y"


def test_the_page_is_told_a_loss_that_is_an_array(monkeypatch):
    class Progress:
        steps, items, average = 4, range(9), Fraction(5, 2)  # has a float, as an array of one has

        def note(self, loss):
            pass

    outside = SimpleNamespace(can_run_sync=lambda: False, run_sync=None)
    for name, stand_in in (("pyodide.ffi", outside), ("model.services.progress", None)):
        monkeypatch.setitem(sys.modules, name, stand_in or SimpleNamespace(Progress=Progress))
    monkeypatch.syspath_prepend(ROOT / "book/site/static")
    in_page, told = importlib.import_module("in_page"), []
    monkeypatch.setattr(in_page, "say", lambda *words: told.append(words))
    monkeypatch.setattr(in_page, "stopping", lambda: False)
    in_page.watch("anna")
    Progress().note(2.5)
    assert told == [("loss", "[5, 9, 2.5]")]


def test_a_site_is_built_from_the_chain(small, tmp_path):
    folder = tmp_path / "site"
    sizes, large = build.build(["--plain"], folder, small.folder)
    assert large == [] and {"index.html", "step-00.html", "contents.html"} <= set(sizes)
    page = (folder / "step-00.html").read_text()
    assert 'class="stop" href="#model/rate.py:2"' in page and "<ins" in page
    index = (folder / "search-index.js").read_text()
    assert json.loads(index.removeprefix("window.searchIndex = ").removesuffix(";\n"))["pages"]
    assert not (folder / "run").exists()


def test_without_a_network_it_is_built_without_the_runner(small, tmp_path, monkeypatch, capsys):
    def refuse(*_, **__):
        raise subprocess.TimeoutExpired("npm", 1)

    monkeypatch.setattr(subprocess, "run", refuse)
    with pytest.raises(runner.Problem, match="expected a download"):
        runner.fetch.run(["npm"], tmp_path)
    monkeypatch.undo()

    def fail(*_):
        raise runner.Problem("npm: no network")

    monkeypatch.setattr(runner.fetch, "package", fail)
    build.build([], tmp_path / "site", small.folder)
    assert "without the runner: npm: no network" in capsys.readouterr().err
    assert (tmp_path / "site/step-00.html").exists()


def test_a_download_is_tried_three_times(tmp_path, monkeypatch):
    tries = tmp_path / "tries"
    monkeypatch.setattr(runner.fetch, "PAUSES", (0, 0))
    at_last = ["sh", "-c", 'echo >> tries; echo "no network"; [ "$(wc -l < tries)" -gt "$0" ]']
    runner.fetch.run([*at_last, "2"], tmp_path)
    assert tries.read_text() == "\n" * 3
    tries.unlink()
    with pytest.raises(runner.Problem, match="sh: no network"):
        runner.fetch.run([*at_last, "3"], tmp_path)


def test_make_hands_its_words_on(monkeypatch):
    import run

    ran = []
    done = subprocess.CompletedProcess([], 3)
    monkeypatch.setattr(run, "python", lambda: "python")
    monkeypatch.setattr(run.subprocess, "run", lambda command, **_: ran.append(command) or done)
    monkeypatch.setenv("RUNNER", "cdn")
    assert run.main(["book", "--candidate"]) == 3 and run.main(["serve", "8001"]) == 3
    assert ran[0][-2:] == ["--candidate", "--cdn"] and ran[1][-1] == "8001"
    with pytest.raises(run.Problem, match="expected book, serve, book-test"):
        run.main(["sell"])


def test_a_folder_of_others_is_not_emptied(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(build.Problem, match="expected a folder"):
        build.emptied(tmp_path)
    assert (tmp_path / "mine.txt").exists()
    assert (build.emptied(tmp_path / "new") / build.MARK).exists()


def test_a_line_of_a_diff_has_a_place_only_where_a_link_needs_it():
    change = source.Change("a.py", "a.py", "0000", "1", [[("+", 0, 1), ("+", 0, 2)]])
    html = diff.render_file(change, {"1": "x = 1\ny = 2\n"}, {}, "step-00", {"a.py:2"})
    assert 'id="a.py:2" data-n=2' in html and 'id="a.py:1"' not in html
