"""Act I in the page: it trains, stops, invents, solves; with the numbers that the book prints."""

import json
import re

import pytest
from place import SITE, missing, modules

expect = modules("playwright.sync_api").expect

SECONDS = 1000
PATIENT = 120 * SECONDS  # in milliseconds: Python is slow in a page, and so may the machine be


@pytest.fixture
def run(open_page, page_of):
    """run("nudge"): the page of a step with its panel Run."""
    if not (SITE / "run").exists():
        missing("site/ was built without the runner")

    def opened(slug, **looks):
        page = open_page(page_of(slug) + "#run", **looks)
        expect(page.get_by_role("button", name="Train", exact=True)).to_be_visible()
        return page

    return opened


def log(page):
    return page.get_by_label("what the program prints")


def facts(page):
    tag = page.locator("#run").get_attribute("data-step")
    return json.loads((SITE / f"run/{tag}.json").read_text())


def test_the_first_step_prints_what_the_book_prints(run):
    page = run("pairs")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(log(page)).to_contain_text("uniform", timeout=PATIENT)
    held_out = re.search(r"held-out [\d.]+", facts(page)["expected"])[0]
    names = facts(page)["expected"].splitlines()[-1]
    expect(log(page)).to_contain_text(held_out)
    expect(log(page)).to_contain_text(names)


def test_nudge_trains_to_the_last_digit_and_invents_names(run):
    page = run("nudge")
    page.get_by_role("button", name="run make train", exact=True).click()
    expect(log(page)).to_contain_text("held-out", timeout=PATIENT)
    report = facts(page)["expected"]
    expect(log(page)).to_contain_text(re.search(r"loss [\d.]+ · held-out [\d.]+", report)[0])
    assert page.locator(".live polyline").get_attribute("points").count(",") > 5
    page.get_by_role("button", name="Invent names").click()
    expect(page.get_by_label("invented names")).to_have_text(re.compile(r"\w+  \w+"))


def test_a_deeper_model_stops_with_its_report(run):
    page = run("residual")
    page.get_by_label("options", exact=True).fill("--passes 1")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(log(page)).to_contain_text("characters/s", timeout=PATIENT)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(log(page)).to_contain_text("held-out", timeout=PATIENT)
    expect(page.get_by_role("button", name="Invent names")).to_be_enabled()


def test_a_wrong_option_is_explained(run):
    page = run("nudge")
    page.get_by_label("options", exact=True).fill("--learning-rate 0")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(log(page)).to_contain_text("expected a number above 0", timeout=PATIENT)


def test_a_puzzle_shows_where_heads_look(run):
    page = run("heads")
    page.locator("#run select").select_option("place")
    page.get_by_role("button", name="Learn it").click()
    looks = page.locator("svg.looks")
    expect(looks).to_be_visible(timeout=PATIENT)
    assert page.locator("svg.looks rect").count() == 4 * 21  # four heads, six letters
    first = looks.inner_html()
    page.wait_for_timeout(2 * SECONDS)
    assert looks.inner_html() != first
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(log(page)).to_contain_text("right", timeout=PATIENT)
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled(timeout=PATIENT)
    expect(page.get_by_role("button", name="Invent names")).to_be_disabled()


def test_lines_of_a_session_run_and_can_be_edited(run):
    page = run("value")
    cells = page.locator("pre.session .cell")
    texts = cells.locator("code").all_inner_texts()
    product = next(n for n, text in enumerate(texts) if text == "c = a * b")
    shown = next(n for n, text in enumerate(texts) if text.startswith("d.data"))
    result = page.locator("pre.session samp").nth(shown)
    expected = result.inner_text()
    cells.nth(shown).get_by_role("button").click()
    expect(result).to_have_class("ran", timeout=PATIENT)
    expect(result).to_have_text(expected, timeout=PATIENT)
    assert "-6.0" not in expected
    cells.nth(product).locator("code").fill("c = a * b * 2")
    cells.nth(shown).get_by_role("button").click()
    expect(result).to_contain_text("-6.0", timeout=PATIENT)


RESULTS = "e => [...e.querySelectorAll('.cell')].map(c => c.nextSibling.textContent.trimEnd())"


@pytest.mark.parametrize("slug", ["softmax", "rows-run-dry", "cooldown", "layernorm"])
def test_a_session_prints_what_the_book_prints(run, slug):
    page = run(slug)
    session = page.locator("pre.session").first
    expect(session).to_be_visible()
    printed = session.evaluate(RESULTS)
    last = session.locator(".cell button").last
    last.click()
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_be_enabled()
    expect(stop).to_be_disabled(timeout=PATIENT)
    assert session.evaluate(RESULTS) == printed


def test_an_error_in_a_line_is_shown(run):
    page = run("value")
    cell = page.locator("pre.session .cell").first
    cell.locator("code").fill("1 / 0")
    cell.get_by_role("button").click()
    expect(page.locator("pre.session samp").first).to_contain_text(
        "ZeroDivisionError", timeout=PATIENT
    )


def test_an_endless_line_is_stopped(run):
    page = run("value")
    cell = page.locator("pre.session .cell").first
    cell.locator("code").fill("1")
    cell.get_by_role("button").click()
    result = page.locator("pre.session samp").first
    expect(result).to_have_text("1", timeout=PATIENT)
    cell.locator("code").fill("while True: pass")
    cell.get_by_role("button").click()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(result).to_contain_text("Stopped by force", timeout=PATIENT)
    cell.locator("code").fill("2")
    cell.get_by_role("button").click()
    expect(result).to_have_text("2", timeout=PATIENT)


def test_an_exercise_fails_and_is_solved_and_is_kept(run):
    page = run("nudge")
    verdict = page.locator(".verdict")
    page.get_by_role("button", name="Check").click()
    expect(verdict).to_have_text("Not yet.", timeout=PATIENT)
    page.get_by_role("button", name="Hint").click()
    assert page.locator("#run ol li").count() == 1
    exercise, editor = first_exercise(page)
    solution = exercise["solution"] + "\n# mine\n"
    editor.fill(solution)
    page.get_by_role("button", name="Check").click()
    expect(verdict).to_have_text("Solved.", timeout=PATIENT)
    page.reload()
    expect(editor).to_have_value(solution)


def first_exercise(page):
    """What is known of it, and its editor."""
    exercise = facts(page)["exercises"][0]
    return exercise, page.get_by_label(exercise["file"], exact=True)


SEEN = """(editor, line) => {
    const y = (line - 1) * parseFloat(getComputedStyle(editor).lineHeight) - editor.scrollTop;
    return y >= 0 && y < editor.clientHeight / 2;
}"""


def test_the_editor_opens_where_there_is_something_to_write(run):
    page = run("pairs")
    exercise, editor = first_exercise(page)
    editor.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('textarea').scrollTop > 0")
    assert exercise["line"] > 22 and editor.evaluate(SEEN, exercise["line"])
    for name in ("Diff", "Run"):
        page.locator(".tabs").get_by_role("link", name=name).click()
    assert editor.evaluate(SEEN, exercise["line"])
    editor.focus()
    page.keyboard.type("here")
    lines = editor.input_value().splitlines()
    assert lines[exercise["line"] - 1].startswith("here")


def test_the_solution_can_be_put_in(run):
    page = run("nudge")
    exercise, editor = first_exercise(page)
    asked = []
    page.on("dialog", lambda dialog: asked.append(dialog.message) or dialog.dismiss())
    hint = page.get_by_role("button", name=re.compile("Hint|Solution"))
    while hint.is_enabled():
        hint.click()
    put = page.get_by_role("button", name="Put it in")
    editor.fill("mine")
    put.click()
    expect(editor).to_have_value("mine")
    assert len(asked) == 1
    editor.fill(exercise["text"])
    put.click()
    expect(editor).to_have_value(exercise["solution"])
    page.get_by_role("button", name="Begin anew").click()
    put.click()
    assert len(asked) == 1
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".verdict")).to_have_text("Solved.", timeout=PATIENT)
    assert page.locator("#run .file ins").count() > 3


def test_two_tabs_show_the_same_exercise(run):
    page = run("nudge")
    _, editor = first_exercise(page)
    other = page.context.new_page()
    other.goto(page.url)
    _, second = first_exercise(other)
    second.fill("from the other")
    expect(editor).to_have_value("from the other")
    editor.press_sequentially(", and from here")
    expect(second).to_have_value(editor.input_value())
    page.evaluate("Object.keys(localStorage).forEach(key => { localStorage[key] = 'gone on' })")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(editor).to_have_value("gone on")


def test_escape_and_tab_leave_the_editor(run):
    page = run("nudge")
    _, editor = first_exercise(page)
    expect(editor).to_have_accessible_description(re.compile("Escape, then Tab"))
    editor.fill("")
    page.keyboard.press("Tab")
    expect(editor).to_have_value("    ")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()


def test_lines_still_know_what_stands_above_after_a_check(run):
    page = run("pairs")
    stop = page.get_by_role("button", name="Stop", exact=True)
    cell = page.locator("pre.session .cell").nth(3)
    result = page.locator("pre.session samp").nth(3)
    cell.get_by_role("button").click()
    expect(stop).to_be_disabled(timeout=PATIENT)
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".verdict")).to_have_text("Not yet.", timeout=PATIENT)
    cell.locator("code").fill("counts[0][0]")
    cell.get_by_role("button").click()
    expect(result).to_have_text("0.5", timeout=PATIENT)


def test_a_second_click_on_stop_takes_nothing(run):
    page = run("residual")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(log(page)).to_contain_text("characters/s", timeout=PATIENT)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stopping …").click()
    expect(log(page)).to_contain_text("held-out", timeout=PATIENT)


def test_a_loop_that_prints_is_cut_and_can_be_stopped(run):
    page = run("value")
    cell = page.locator("pre.session .cell").first
    cell.locator("code").fill("while True: print('y')")
    cell.get_by_role("button").click()
    result = page.locator("pre.session samp").first
    expect(result).to_contain_text("no more is shown", timeout=PATIENT)
    cell.get_by_role("button").click()
    expect(result).to_contain_text("Stopped by force", timeout=PATIENT)


def test_what_cannot_be_loaded_is_said_and_tried_again(page_of, browser, address):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}{page_of('pairs')}#run")
    train = page.get_by_role("button", name="Train", exact=True)
    context.route("**/*.wasm", lambda route: route.abort())
    train.click()
    expect(log(page)).to_contain_text("could not be loaded", timeout=PATIENT)
    context.unroute("**/*.wasm")
    train.click()
    expect(log(page)).to_contain_text("uniform", timeout=PATIENT)
    context.close()


def test_a_package_that_does_not_come_is_named(page_of, browser, address):
    context = browser.new_context()

    def with_package(route):
        known = route.fetch().json()
        route.fulfill(json=known | {"packages": ["numpy"], "cdn": f"{address}nowhere/"})

    context.route("**/run/step-*.json", with_package)
    page = context.new_page()
    page.goto(f"{address}{page_of('pairs')}#run")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(log(page)).to_contain_text("got no numpy", timeout=PATIENT)
    context.close()


@pytest.mark.parametrize("name", ["run it here", "run make train"])
def test_on_a_phone_the_panel_comes_into_view(open_page, page_of, name):
    page = open_page(page_of("pairs"), 360)
    page.get_by_role("button", name="run make train").wait_for()
    page.get_by_role("link" if name == "run it here" else "button", name=name).click()
    expect(page.locator("#run h2")).to_be_in_viewport()
