"""Ten pages as pictures, for people to look at: runs/book/*.png. They are not compared."""

from place import ROOT

FOLDER = ROOT / "runs/book"
# (name, the step's short name or a page, where on it, width, scheme)
PICTURES = [
    ("01-front", "index.html", "", 1280, "dark"),
    ("02-steps", "contents.html", "", 1280, "light"),
    ("03-step", "nudge", "", 1280, "light"),
    ("04-reading-the-diff", "arrays", "#read-the-diff", 1280, "light"),
    ("05-files", "loss-node", "#files", 1280, "dark"),
    ("06-run", "puzzles", "#run", 1280, "light"),
    ("07-small-text", "attention", "#how-it-works", 360, "dark"),
    ("08-small-diff", "attention", "#model/gpt.py", 360, "light"),
    ("09-between", "act-1.html", "", 1280, "dark"),
    ("10-kernel", "tiles", "", 1280, "dark"),
]


def test_pictures_of_ten_pages(open_page, page_of):
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, what, where, width, scheme in PICTURES:
        page = open_page((what if what.endswith(".html") else page_of(what)) + where, width, scheme)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=FOLDER / f"{name}.png")
    assert len(list(FOLDER.glob("*.png"))) >= len(PICTURES)
