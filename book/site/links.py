"""Where links lead: those of the book, and those from a section into its diff."""

import re

COMMIT = re.compile(r"(?:\.\./)+commits?/([0-9a-f]+)")
PATH = re.compile(r"[\w/.-]+\.\w+|Makefile")


class Links:
    """Where the book's own links lead on the site. places: {anchor: page}, commits: {sha: page}."""

    def __init__(self, places, commits, home="README.md"):
        self.places, self.commits, self.home = places, commits, home

    def __call__(self, target):
        if match := COMMIT.fullmatch(target):
            return self.commits.get(match[1], "contents.html")
        page, _, anchor = target.partition("#")
        page = page.removeprefix("../")
        if page in ("STEPS.md", "") and anchor in self.places:
            return self.places[anchor]
        known = {"STEPS.md": "contents.html", "README.md": "readme.html"}
        known |= {"book/README.md": "mending.html", "": ""}
        if page in known:
            if not page and self.home == "README.md":
                return f"readme.html#{anchor}"
            return known[page] + (f"#{anchor}" if anchor else "")
        return page if page.startswith("notebooks/") else target


class Stops:
    """What "Read the diff" names: files and names in them, and where these stand in the diff.

    lines: {path: [(number, text, whether the step added it), …]} of the diff that is shown.
    """

    def __init__(self, lines):
        self.lines, self.path, self.used = lines, None, set()

    def find(self, words):
        """The place of a file or a name, such as engine/ops.py:12; None if the diff lacks it."""
        if PATH.fullmatch(words) and words in self.lines:
            self.path = words
            return words
        near = [self.path] if self.path else []
        for path in [*near, *(path for path in self.lines if path != self.path)]:
            if number := self.line(path, words):
                self.used.add(f"{path}:{number}")
                return f"{path}:{number}"
        return None

    def line(self, path, words):
        """The line that defines a name; else one that the step added with it; else any with it."""
        name = words.split("(")[0].split(".")[-1].strip()
        makes = re.compile(rf"\s*(?:def|class) {re.escape(name)}\b|\s*{re.escape(name)} =")
        holds = re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")
        found = {0: None, 1: None, 2: None}
        for number, text, added in self.lines[path]:
            rank = 0 if makes.match(text) else 1 if added else 2
            if (rank == 0 and name) or holds.search(text):
                found[rank] = found[rank] or number
        return next((number for number in found.values() if number), None)
