"""Every page in a real browser: nothing in the console, within its width, and reached by keys."""

import html
import re

import fetch
import pytest
from place import ROOT, SITE, missing

LOOKS = [(360, "dark"), (1280, "light")]
PICTURES = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
HEADINGS = """[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')]
    .filter(h => h.checkVisibility()).map(h => +h.tagName[1])"""
WIDTH = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


def test_every_link_leads_somewhere():
    ids, links = {}, {}
    for path in SITE.rglob("*.html"):
        text = re.sub(
            r"<pre\b.*?</pre>", lambda m: re.sub(r">[^<]*<", "><", m[0]), path.read_text()
        )
        ids[path] = {html.unescape(name) for name in re.findall(r'\sid="([^"]+)"', text)}
        links[path] = map(html.unescape, re.findall(r'\s(?:href|src)="([^"]+)"', text))
    broken = []
    for path, targets in links.items():
        for target in targets:
            if target.startswith("https://"):
                continue  # out of the book
            page, _, anchor = target.partition("#")
            place = (path.parent / page).resolve() if page else path
            if not place.exists() or (anchor and anchor not in ids.get(place, ())):
                broken.append(f"{path.name}: {target}")
    assert links and broken == []


def test_no_page_is_large():
    large = [path.name for path in SITE.rglob("*.html") if path.stat().st_size > 300_000]
    assert large == []


@pytest.mark.parametrize("width,scheme", LOOKS)
def test_every_page(open_page, pages, width, scheme):
    wrong = []
    page = open_page("index.html", width, scheme)
    for name in pages:
        page.goto(page.url.rsplit("/", 1)[0] + "/" + name)
        levels = page.evaluate(HEADINGS)
        steps = [b for a, b in zip([0, *levels], levels) if b > a + 1]
        if levels.count(1) != 1 or steps:
            wrong.append(f"{name}: headings {levels}")
        if page.evaluate(PICTURES):
            wrong.append(f"{name}: a picture is missing")
        full, seen = page.evaluate(WIDTH)
        if full > seen:
            wrong.append(f"{name}: {full} pixels wide of {seen}")
    assert wrong == []


@pytest.fixture(scope="session")
def axe():
    try:
        return (fetch.package("axe-core", ROOT) / "axe.min.js").read_text()
    except fetch.Problem as problem:
        missing(f"no axe-core: {problem}")


def violations(page, axe):
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{item['id']}: {item['nodes'][0]['html'][:90]}" for item in found]


def kinds(pages):
    """A page of each kind, and a step of each act."""
    steps = [name for name in pages if name.startswith("step-")]
    others = [name for name in pages if not name.startswith(("step-", "release-"))]
    releases = [name for name in pages if name.startswith("release-")][-1:]
    return [*others, *releases, *steps[:: max(1, len(steps) // 8)]]


@pytest.mark.parametrize("width,scheme", LOOKS)
def test_axe_finds_nothing(open_page, pages, axe, width, scheme):
    """Contrast, names of buttons, and whether all that scrolls can be reached by keys."""
    wrong = []
    page = open_page("index.html", width, scheme)
    for name in kinds(pages):
        page.goto(page.url.rsplit("/", 1)[0] + "/" + name)
        wrong += [f"{name}: {line}" for line in violations(page, axe)]
    assert wrong == []


def test_axe_finds_nothing_where_code_runs(open_page, page_of, axe):
    page = open_page(page_of("nudge") + "#run", 360, "dark")
    page.get_by_role("button", name="Train", exact=True).wait_for()
    hint = page.get_by_role("button", name=re.compile("Hint|Solution"))
    while hint.is_enabled():
        hint.click()
    page.get_by_role("button", name="Put it in").wait_for()
    assert violations(page, axe) == []
    full, seen = page.evaluate(WIDTH)
    assert full <= seen


def test_a_whole_file_as_a_page(open_page, axe):
    longest = max(SITE.glob("file/*.py-*.html"), key=lambda path: path.stat().st_size)
    page = open_page(f"file/{longest.name}#L30", 360, "dark")
    assert page.evaluate(HEADINGS) == [1] and violations(page, axe) == []
    full, seen = page.evaluate(WIDTH)
    assert full <= seen and page.locator("#L30").is_visible()


def test_from_the_disk(open_page, pages):
    """Nothing but the runner needs a server."""
    page = open_page(pages[0], base=f"{SITE.as_uri()}/")
    step = [name for name in pages if name.startswith("step-")][2]
    page.goto(f"{SITE.as_uri()}/{step}")
    page.keyboard.press("/")
    page.keyboard.type("softmax")
    page.locator("dialog li a").first.wait_for()
    page.keyboard.press("Escape")
    page.locator("a.whole").first.click()
    page.frame_locator("#whole iframe").locator("pre.lines").wait_for()


def test_search_finds_a_function_and_its_line(open_page):
    page = open_page("index.html")
    page.click("#search")
    page.keyboard.type("cross_entropy")
    first = page.locator("dialog li a").first
    first.wait_for()
    assert "def cross_entropy" in first.inner_text()
    page.keyboard.press("Enter")
    page.wait_for_selector(".reached")
    assert "def cross_entropy" in page.locator(".reached").inner_text()


def test_search_finds_words_and_code(open_page, page_of):
    page = open_page(page_of("pairs"))
    for words, kind in (("central difference", "central"), ("return math.fsum(", "fsum")):
        page.keyboard.press("/")
        page.keyboard.type(words)
        page.locator("dialog li mark").first.wait_for()
        assert kind in page.locator("dialog").inner_text()
        page.keyboard.press("Escape")


def test_arrows_walk_through_what_is_found(open_page):
    page = open_page("index.html", 360)
    page.click("#search")
    page.keyboard.type("softmax")
    found = page.locator("dialog li a")
    found.nth(2).wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert found.nth(1).evaluate("link => link === document.activeElement")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.locator("dialog input").evaluate("input => input === document.activeElement")
    page.get_by_role("button", name="close").click()
    assert page.locator("dialog").count() == 0


def test_keys(open_page, pages):
    steps = [name for name in pages if name.startswith("step-")]
    page = open_page(steps[1])
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/{steps[0]}")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/{steps[1]}")
    page.keyboard.press("j")
    assert page.locator("a.stop.lit").count() and page.locator(".reached").count() == 1
    page.keyboard.press("?")
    assert "next page" in page.locator("dialog").inner_text()
    page.keyboard.press("Escape")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("d")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("d")  # as the system has it: from now on it is followed again
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_a_stop_leads_to_its_line_and_is_lit_when_it_is_reached(open_page, page_of):
    page = open_page(page_of("nudge"))
    stop = page.locator("a.stop", has_text="cross_entropy")
    stop.click()
    assert "def cross_entropy" in page.locator(".reached").inner_text()
    page.locator("a.stop.lit", has_text="cross_entropy").wait_for()
    page.locator(".pane").evaluate("pane => pane.scrollTo(0, pane.scrollHeight)")
    page.locator("a.stop.lit[href*='tests/']").wait_for()


def test_a_link_to_a_line(open_page, page_of):
    page = open_page(page_of("nudge") + "#model/gpt.py:30")
    assert page.locator(".reached").get_attribute("data-n") == "30"


@pytest.mark.parametrize("place", ["run", "files", "model/gpt.py", "model/gpt.py:30", "last file"])
def test_a_link_to_the_code_leaves_the_text_where_it_is(open_page, page_of, place):
    name = page_of("nudge")
    if place == "last file":
        place = re.findall(r'<h3 id="([^"]+)"', (SITE / name).read_text())[-1]
    page = open_page(f"{name}#{place}")
    page.wait_for_function("hash => location.hash === hash", arg=f"#{place}")
    page.wait_for_timeout(200)
    assert page.evaluate("scrollY") == 0
    page.locator(".where a").last.click()
    assert page.evaluate("[scrollY, location.hash]") == [0, "#run"]


def test_the_readme_says_which_page_it_means(open_page):
    page = open_page("readme.html")
    assert "the repository's" in page.locator("h2#start + p.note").inner_text()


def test_the_table_of_steps_fits_a_phone(open_page):
    page = open_page("contents.html", 360)
    table = page.locator(".wide:has(table)")
    assert table.evaluate("box => box.scrollWidth <= box.clientWidth")
    assert "held-out" in table.evaluate(
        "box => getComputedStyle(box.querySelector('td:nth-child(3)'), '::before').content"
    )


def test_the_glossary_explains_its_words(open_page):
    page = open_page("end.html")
    page.locator("a.word", has_text="tanh").focus()
    assert "step-08" in page.locator("#tip").inner_text()


def test_a_dark_page_is_printed_in_black_on_white(open_page, page_of):
    page = open_page(page_of("nudge"))
    page.keyboard.press("d")
    page.emulate_media(media="print")
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert sum(map(int, re.findall(r"\d+", ink)[:3])) < 200
    assert not page.locator(".bar").is_visible() and not page.locator(".tabs").is_visible()
    assert page.locator("#diff").is_visible()


def test_a_whole_file_beside_the_text(open_page, page_of):
    page = open_page(page_of("value"))
    page.locator("a.whole").first.click()
    frame = page.frame_locator("#whole iframe")
    frame.locator("pre.lines").wait_for()
    assert page.locator("#files").is_visible() and not page.locator("#diff").is_visible()


def test_a_word_is_explained(open_page, page_of):
    page = open_page(page_of("embedding"))
    page.locator("a.word").first.hover()
    assert page.locator("#tip").inner_text().strip()
    page.keyboard.press("Escape")
    assert page.locator("#tip").count() == 0


def test_back_from_a_tab_shows_the_diff(open_page, page_of):
    page = open_page(page_of("nudge"))
    page.locator(".tabs a").nth(1).click()
    assert page.locator("#files").is_visible()
    page.go_back()
    page.locator("#diff").wait_for()


def test_an_address_that_nobody_wrote_breaks_nothing(open_page, page_of):
    page = open_page(page_of("nudge") + "#%")
    page.keyboard.press("/")
    page.locator("dialog").wait_for()
