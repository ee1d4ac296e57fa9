"""Every page in a real browser: nothing in the console, within its width, and reached by keys."""

import html
import re

import colour
import fetch
import pytest
from place import ROOT, SITE, missing

LOOKS = [(width, scheme) for width in (360, 1280) for scheme in ("dark", "light")]
# Whatever a reader can unfold on a page.
OPEN = """() => {
  for (const panel of document.querySelectorAll(".panel")) panel.hidden = false;
  for (const details of document.querySelectorAll("details")) details.open = true;
}"""
# axe would read a large diff for seconds. Lines of code that show nothing new go, and so do the
# further entries of lists beside the text; what is left keeps its size.
SHORTER = """() => {
  const seen = new Set();
  for (const pre of document.querySelectorAll("pre.lines")) {
    const { offsetHeight, scrollWidth } = pre, [first, ...others] = pre.children;
    for (const line of [first, ...others]) {
      const kinds = [line, ...line.children].map((part) =>
        [line.tagName, line.className, part.tagName, part.className].join());
      if (line !== first && kinds.every((kind) => seen.has(kind))) line.remove();
      kinds.forEach((kind) => seen.add(kind));
    }
    pre.style.height = `${offsetHeight}px`;
    first.style.minWidth = `${scrollWidth}px`;
  }
  let kept = 6; // of the first list, so that neighbours are seen
  for (const list of document.querySelectorAll(".pane ul")) {
    [...list.children].slice(kept).forEach((item) => item.remove());
    kept = 2;
  }
}"""
# A promise, so that two pages can be read at once.
READ = """() => {
  const read = () => axe.run(document, { resultTypes: ["violations"] });
  window.found = new Promise((done) => setTimeout(() => done(read())));
}"""
FOUND = """async () =>
  (await window.found).violations.map((rule) => `${rule.id}: ${rule.nodes[0].html.slice(0, 90)}`)
"""
PICTURES = """async () => {
  const missing = [], seen = (image) => image.decode().catch(() => missing.push(image.src));
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map(seen));
  return missing;
}"""
HEADINGS = """[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')]
    .filter(h => h.checkVisibility()).map(h => +h.tagName[1])"""
WIDTH = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
BLOCK = re.compile(r'<pre class="lines"[^>]*>(.*?)</pre>', re.S)
LINE = re.compile(r"<(ins|del|span) [^>]*>([^\n]*)\n</\1>")
TOKEN = re.compile(r"<i class=(\w+)>")
LINE_OF_FILE = re.compile(
    r'<span id="L\d+" data-n="\d+">(?:[^<\n]|<i class=\w>[^<\n]*</i>)*\n</span>'
)
ENTRY = (
    r'<li><a href="[^"]+" target="_top">[^<]+</a> [^<]+ <small>[^<]+</small>'
    r'(?: · <a href="[^"]+">as it was then</a>)?</li>'
)
HISTORY = re.compile(
    rf"<details><summary>history: \d+ steps?</summary><ul>(?:{ENTRY})+</ul></details>\n"
)
# [line, token, reached, ink, paper] of all code on a page, and of the numbers of its lines.
COLOURS = """() => {
  const found = new Map();
  const paper = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return colour === "rgba(0, 0, 0, 0)" ? paper(element.parentElement) : colour;
  };
  for (const line of document.querySelectorAll("pre.lines > *"))
    for (const reached of [false, true]) {
      line.classList.toggle("reached", reached);
      const note = (token, { color }) => {
        const look = [line.tagName.toLowerCase(), token, reached, color, paper(line)];
        found.set(look.join(), look);
      };
      note("", getComputedStyle(line));
      note("number", getComputedStyle(line, "::before"));
      for (const token of line.children) note(token.className, getComputedStyle(token));
    }
  return [...found.values()];
}"""


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


@pytest.fixture(scope="session")
def axe():
    try:
        return (fetch.package("axe-core", ROOT) / "axe.min.js").read_text()
    except fetch.Problem as problem:
        missing(f"no axe-core: {problem}")


def violations(page, axe):
    page.evaluate(axe)
    page.evaluate(READ)
    return page.evaluate(FOUND)


def test_every_page(open_page, pages, axe):
    """In four looks, with all that unfolds: contrast, names of buttons, what keys reach, width."""
    readers = [open_page("index.html") for _ in range(2)]  # each in a process of its own
    wrong = []
    for n in range(0, len(pages), 2):
        both = list(zip(readers, pages[n : n + 2]))
        for page, name in both:
            wrong += [f"{name}: {fault}" for fault in faults(page, name)]
            page.evaluate(SHORTER)
            page.evaluate(axe)
        for width, scheme in LOOKS:
            for page, name in both:
                page.set_viewport_size({"width": width, "height": 800})
                page.emulate_media(color_scheme=scheme)
                full, seen = page.evaluate(WIDTH)
                if full > seen:
                    wrong.append(f"{name}: {full} pixels wide of {seen}, {scheme}")
                page.evaluate(READ)
            for page, name in both:
                wrong += [f"{name}, {width} {scheme}: {line}" for line in page.evaluate(FOUND)]
    assert pages and not wrong, "\n".join(wrong)


def faults(page, name):
    """Opens a page, with all that unfolds on it; what is wrong however it looks."""
    page.goto(page.url.rsplit("/", 1)[0] + "/" + name)
    page.evaluate(OPEN)
    levels = page.evaluate(HEADINGS)
    if levels.count(1) != 1 or any(b > a + 1 for a, b in zip([0, *levels], levels)):
        yield f"headings {levels}"
    yield from (f"no picture {address}" for address in page.evaluate(PICTURES))


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


def shape(text):
    """A page of a whole file without its words, its lines of code and its history."""
    numbers = [int(n) for n in re.findall(r'<span id="L(\d+)" data-n="\1">', text)]
    assert numbers == list(range(1, len(numbers) + 1))
    text = HISTORY.sub("", LINE_OF_FILE.sub("", text))
    text = re.sub(r'\b(href|src|aria-label|data-place|data-slug)="[^"]+"', r'\1="…"', text)
    return re.sub(r">\s+<", "><", re.sub(r">[^<]*\w[^<]*<", ">…<", text))


def test_pages_of_whole_files_are_all_alike():
    """axe has read the longest; the others differ from it in nothing but words and numbers."""
    shapes = {path.name: shape(path.read_text()) for path in SITE.glob("file/*.html")}
    longest = max(SITE.glob("file/*.py-*.html"), key=lambda path: path.stat().st_size)
    assert len(shapes) > 1 and "<pre" in shapes[longest.name]
    assert [name for name in shapes if shapes[name] != shapes[longest.name]] == []


def kinds_of_code(text):
    """{(line, token)} of the code of a page, such as ("ins", "k"); a token without colour is ""."""
    lines = [line for block in BLOCK.findall(text) for line in LINE.findall(block)]
    kinds = {(name, token) for name, code in lines for token in TOKEN.findall(code)}
    return kinds | {(name, "") for name, _ in lines}


def contrast(*colours):
    """As WCAG 2 defines it, of two colours such as rgb(1, 2, 3)."""
    lights = []
    for text in colours:
        parts = [int(n) / 255 for n in re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", text).groups()]
        red, green, blue = (c / 12.92 if c <= 0.04 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        lights.append(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_code_can_be_read_on_every_kind_of_line(open_page):
    """Each colour of code, on each kind of line of the site, also where a link has led to it."""
    assert 20.9 < contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") < 21.1
    kinds = {path: kinds_of_code(path.read_text()) for path in SITE.rglob("*.html")}
    left = set().union(*kinds.values())
    assert {name for name, _ in left} == {"ins", "del", "span"}
    assert {token for _, token in left} == {"", *(name for _, name in colour.CLASSES)}
    faint = []
    while left:
        path = max(kinds, key=lambda path: len(kinds[path] & left))
        page = open_page(path.relative_to(SITE).as_posix())
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            seen = page.evaluate(COLOURS)
            assert kinds[path] <= {(name, token) for name, token, *_ in seen}
            faint += [[path.name, scheme, *look] for look in seen if contrast(*look[-2:]) < 4.5]
        left -= kinds[path]
    assert not faint, faint


def put_away(page):
    """Closes the dialog. Only when it is gone do keys go to the page."""
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")


def test_from_the_disk(open_page, pages):
    """Nothing but the runner needs a server."""
    page = open_page(pages[0], base=f"{SITE.as_uri()}/")
    step = [name for name in pages if name.startswith("step-")][2]
    page.goto(f"{SITE.as_uri()}/{step}")
    page.keyboard.press("/")
    page.keyboard.type("softmax")
    page.locator("dialog li a").first.wait_for()
    put_away(page)
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
        put_away(page)


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
    put_away(page)
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


DENIED = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("denied", "SecurityError"); },
})"""


@pytest.mark.parametrize("where", ["server", "disk", "nothing is kept"])
def test_keys_can_be_switched_off(open_page, pages, axe, where):
    step = [name for name in pages if name.startswith("step-")][1]
    page = open_page(step, 360, **({"base": f"{SITE.as_uri()}/"} if where == "disk" else {}))
    if where == "nothing is kept":
        page.add_init_script(DENIED)
        page.reload()
    box = page.get_by_role("checkbox", name="use these keys")

    def keys_do_nothing():
        look = "[document.documentElement.dataset.theme, location.href, scrollY]"
        before = page.evaluate(look)
        for key in ("/", "ArrowLeft", "ArrowRight", "j", "k", "d", "c", "?"):
            page.keyboard.press(key)
        assert page.locator("dialog, .reached").count() == 0 and page.evaluate(look) == before
        assert page.locator("#search").get_attribute("aria-keyshortcuts") is None

    page.keyboard.press("?")
    assert box.is_checked()
    if where == "server":
        assert violations(page, axe) == []
    box.uncheck()
    put_away(page)
    keys_do_nothing()
    page.reload()
    if where != "nothing is kept":
        keys_do_nothing()
        page.click("#keys")
        box.check()
        put_away(page)
    page.keyboard.press("/")
    page.locator("dialog input[type=text]").wait_for()


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
