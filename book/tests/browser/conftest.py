"""A browser that reads site/, as make book left it, from a server on the loopback address.

make book-test runs these files. Their names keep them out of make test.
"""

import shutil
import sys
import threading
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "book/site"), str(ROOT / "book"), str(ROOT)]

import serve  # noqa: E402
from place import SITE, missing, modules  # noqa: E402

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser():
    playwright = modules("playwright.sync_api")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        missing("no chromium on the PATH: apt-get install chromium")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=program)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def address():
    if not (SITE / "index.html").exists():
        missing("no site/: make book")
    with serve.server(SITE, 0) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()


@pytest.fixture
def open_page(browser, address):
    """open_page("step.html", width=360, scheme="dark"): a page on which nothing may go wrong."""
    contexts, wrong = [], []

    def go(name, width=1280, scheme="light", base=address):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        listen(page, wrong)
        page.goto(base + name)
        return page

    yield go
    for context in contexts:
        context.close()
    assert wrong == []


def listen(page, wrong):
    """Notes whatever a reader would find in the console, and every request elsewhere."""
    page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda r: None if left(r) else wrong.append(f"{r.url}: {r.failure}"))
    page.on("request", lambda r: None if is_here(r.url) else wrong.append(f"asked for {r.url}"))


def left(request):
    """Whether it was given up because the page was left."""
    return "ERR_ABORTED" in (request.failure or "")


def is_here(url):
    return url.startswith(("http://127.0.0.1:", "file:", "data:", "blob:", "about:"))


@pytest.fixture(scope="session")
def pages():
    """The names of all pages that are read, those of whole files left out."""
    names = sorted(path.name for path in SITE.glob("*.html"))
    if not names:
        missing("no site/: make book")
    return names


@pytest.fixture(scope="session")
def page_of(pages):
    """page_of("nudge"): the page of a step by its short name, whatever its number."""

    def find(slug):
        mark = f'data-slug="{slug}"'
        found = [name for name in pages if mark in (SITE / name).read_text()]
        assert found, f"no page for the step {slug}"
        return found[0]

    return find
