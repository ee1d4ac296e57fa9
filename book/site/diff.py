"""A step's diff as HTML: a file after the other in reading order, each line with a place."""

import re
from html import escape

from colour import coloured

ZEROS = "0" * 40


def file_page(path, blob):
    """The page of a file's content; pages of all steps at which it is the same are one."""
    return f"file/{path.replace('/', '-')}-{blob[:8]}.html"


def sides(change, blobs):
    """The coloured lines of the file before and after."""
    before = coloured(blobs[change.old], change.before) if change.kind != "new" else []
    after = coloured(blobs[change.new], change.path) if change.kind != "gone" else []
    return before, after


def shown_lines(changes, blobs):
    """{path: [(number, text, whether it was added)]} of what a diff shows of the files after.

    A function whose first line is above what is shown stands where the step first added to it.
    """
    found = {}
    for change in changes:
        gone = change.kind == "gone" or not change.hunks
        lines = [] if gone else blobs[change.new].split("\n")
        found[change.path] = [
            (new, lines[new - 1], sign == "+")
            for hunk in change.hunks
            for sign, _, new in hunk
            if sign != "-" and lines
        ]
        numbers = {number for number, *_ in found[change.path]}
        for number in (
            added(hunk) for hunk in change.hunks if lines and change.path.endswith(".py")
        ):
            for place, text in around(lines, number):
                if place not in numbers:
                    found[change.path].append((number, text, True))
    return found


def added(hunk):
    """The number of the first line that a hunk adds; 1, which is in no function, for none."""
    return next((new for sign, _, new in hunk if sign == "+"), 1)


def around(lines, number):
    """(number, text) of the first lines of the functions and classes in which a line stands."""
    depth = indent(lines[number - 1])
    for place in range(number - 1, 0, -1):
        text = lines[place - 1]
        if text.strip() and indent(text) < depth:
            depth = indent(text)
            if re.match(r"\s*(def|class) ", text):
                yield place, text


def indent(text):
    return len(text) - len(text.lstrip())


def one_line(change, sign, old, new, before, after, marked):
    """A line of code. Its number is drawn by the style sheet, so that it is not copied.

    Only lines that a link on this page leads to have an id, for pages to stay small; book.js finds
    the others by the number after the colon.
    """
    if sign == "-":
        return f"<del data-n={old}>{before[old - 1]}\n</del>"
    name, place = "ins" if sign == "+" else "span", f"{change.path}:{new}"
    name_of_it = f' id="{escape(place)}"' if place in marked else ""
    return f"<{name}{name_of_it} data-n={new}>{after[new - 1]}\n</{name}>"


def render_file(change, blobs, history, tag, marked):
    path = escape(change.path)
    head = f'<h3 id="{path}"><code>{path}</code></h3>'
    counts = f'<span class="plus">+{change.count("+")}</span> '
    counts += f'<span class="minus">−{change.count("-")}</span>'
    words = {"new": "new file", "gone": "removed", "renamed": f"was {change.before}"}
    note = f" · {escape(words[change.kind])}" if change.kind in words else ""
    links = ""
    if change.kind != "gone" and change.new != "1":
        links = f' · <a class="whole" href="{file_page(change.path, change.new)}">whole file</a>'
    head = f"<header>{head}<p>{counts}{note}{links}</p>{past(change.path, history, tag)}</header>"
    return f'<section class="file">{head}{render_hunks(change, blobs, marked)}</section>'


def render_hunks(change, blobs, marked=()):
    """The lines of a file's diff; nothing where there are none, as after a mere rename."""
    if not change.hunks:
        return ""
    before, after = sides(change, blobs)
    hunks = [
        "".join(one_line(change, *line, before, after, marked) for line in hunk)
        for hunk in change.hunks
    ]
    gap = '<span class="gap">⋯\n</span>'
    label = f'tabindex="0" role="group" aria-label="changes of {escape(change.path)}"'
    return f'<pre class="lines" {label}>{gap.join(hunks)}</pre>'


def past(path, history, tag):
    """Which steps touched a file; each a link to its diff there."""
    touched = history.get(path, [])
    if len(touched) < 2:
        return ""
    items = []
    for step, change in touched:
        link = f'<a href="{step.tag}.html#{escape(path)}">{step.tag}</a>'
        if step.tag == tag:
            link = f'<b aria-current="true">{step.tag}</b>'
        size = f"+{change.count('+')} −{change.count('-')}"
        items.append(f"<li>{link} <small>{size}</small>")
    return (
        f"<details><summary>history: {len(touched)} steps</summary><ul>{''.join(items)}</ul>"
        "</details>"
    )


def render_diff(changes, blobs, history, tag, marked=()):
    """marked: the places, such as engine/ops.py:12, that the page links to."""
    return "".join(render_file(change, blobs, history, tag, marked) for change in changes)


def render_files(tree, changes, sizes):
    """All files at a step, by folder; those that the step changed are marked."""
    changed = {change.path for change in changes}
    folders = {}
    for path, blob in sorted(tree.items()):
        folder, _, name = path.rpartition("/")
        mark = ' class="changed"' if path in changed else ""
        note = " <small>· changed here</small>" if path in changed else ""
        page = file_page(path, blob)
        link = f'<a class="whole" href="{page}">{escape(name)}</a> <small>{sizes[blob]}</small>'
        folders.setdefault(folder, []).append(f"<li{mark}>{link}{note}</li>")
    return "".join(
        f"<h3>{escape(folder) + '/' if folder else 'at the top'}</h3><ul>{''.join(items)}</ul>"
        for folder, items in folders.items()
    )
