"""The search index: text, names and code of all pages in one script, loaded when one searches.

A script, not JSON, since a page that was opened as a file may load no data.
"""

import json
import re

from glossary import plain

RUN_IN = re.compile(r"^\*\*([A-Z][\w' -]+)\.\*\*", re.M)
HEADING = re.compile(r"^#{2,4} (.+)$", re.M)
MAKES = re.compile(r"\s*(?:async )?(def|class) (\w+)")
CODE = ("engine/", "model/", "kernels/")


def pieces(body):
    """[(heading, text), …] of a section."""
    marks = sorted([*RUN_IN.finditer(body), *HEADING.finditer(body)], key=lambda m: m.start())
    starts = [0, *(mark.start() for mark in marks)]
    titles = ["", *(mark[1] for mark in marks)]
    ends = [*starts[1:], len(body)]
    found = [(title, body[a:b]) for title, a, b in zip(titles, starts, ends)]
    clean = [(t, plain(re.sub(r"<[^>]*>|^```\w*|^\|[-|]+$", "", s, flags=re.M))) for t, s in found]
    return [(title, words) for title, words in clean if words]


def index(source, pages):
    """pages: [(address, title, text in Markdown), …]"""
    numbers = {address: n for n, (address, _, _) in enumerate(pages)}
    texts = [
        [n, title, words] for n, (_, _, body) in enumerate(pages) for title, words in pieces(body)
    ]
    names, code, known = [], [], set()
    for step in source.steps:
        page = numbers[f"{step.tag}.html"]
        for change in source.changes[step.tag]:
            if not change.path.endswith(".py") or change.kind == "gone":
                continue
            lines = source.blobs[change.new].split("\n") if change.hunks else []
            added = [(new, lines[new - 1]) for h in change.hunks for s, _, new in h if s == "+"]
            for number, line in added:
                match = MAKES.match(line)
                if match and (match[2], change.path) not in known:
                    known.add((match[2], change.path))
                    names.append([match[2], match[1], page, f"{change.path}:{number}"])
            kept = [(n, line.strip()) for n, line in added if len(line.strip()) > 6]
            if change.path.startswith(CODE) and kept:
                words = "\n".join(line for _, line in kept)
                code.append([page, change.path, [n for n, _ in kept], words])
    listed = [[address, title] for address, title, _ in pages]
    found = {"pages": listed, "texts": texts, "names": names, "code": code}
    words = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return f"window.searchIndex = {words};\n"
