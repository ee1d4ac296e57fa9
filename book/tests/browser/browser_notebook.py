"""The notebook, executed as a reader would, on a local clone in place of the address."""

import re

import pytest
from common import EXPECTED, chosen_chain, git
from place import ROOT, modules

NOTEBOOK = ROOT / "notebooks/open-a-step.ipynb"
SECONDS = 600


@pytest.fixture(scope="module")
def formats():
    return modules("nbformat", "ipykernel")


def test_it_is_kept_without_outputs(formats):
    book = formats.read(NOTEBOOK, as_version=4)
    formats.validate(book)
    assert all(cell.get("outputs", []) == [] for cell in book.cells)


def test_its_badge_stands_in_the_readme():
    badge = "[![notebook: open a step](book/notebook.svg)](notebooks/open-a-step.ipynb)"
    assert badge in (ROOT / "README.md").read_text()
    assert (ROOT / "book/notebook.svg").exists()


def test_it_opens_trains_and_tests_a_step(formats, tmp_path, monkeypatch):
    client = modules("nbclient")
    step = next(step for step in chosen_chain([]) if step.slug == "nudge")
    monkeypatch.setenv("STEPGRAD_ADDRESS", str(ROOT))
    book = formats.read(NOTEBOOK, as_version=4)
    settings = next(cell for cell in book.cells if "STEP = " in cell.source)
    settings.source = re.sub(r"STEP = \d+", f"STEP = {step.number}", settings.source)
    folder = {"metadata": {"path": str(tmp_path)}}
    client.NotebookClient(book, timeout=SECONDS, resources=folder).execute()
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    printed = "".join(output.get("text", "") for output in outputs)
    expected = git("show", f"{step.commit}:{EXPECTED}", root=ROOT)
    assert re.search(r"held-out [\d.]+", expected)[0] in printed
    assert re.search(r"\d+ passed", printed)
    assert "error" not in {output.output_type for output in outputs}
