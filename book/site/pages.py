"""The site's pages, each made from a part of the book: {path: HTML}."""

import re
from html import escape

import diff
from chart import chart
from colour import coloured
from common import Problem, git
from frame import page
from glossary import Glossary
from links import Links, Stops
from search import index
from text import Text

from steps import releases

ROMAN = ("", "I", "II", "III", "IV")
COMPARED = re.compile(r"\s*(-|\d+):\s+\S+ ([=!<>])\s+(-|\d+):\s+\S+ (.+)")
LARGE = 600  # pixels: on a phone the letters of a picture that is wider could not be read
WAY = re.compile(r"\n+[^\n]*\[contents\]\(#contents\)[^\n]*\s*\Z")  # the site has its own


class Site:
    """source: the book; runs: tags of the steps that run in the page; cdn: whence
    those of act II load their packages.
    """

    def __init__(self, source, runs=(), cdn=""):
        self.source, self.runs, self.cdn = source, set(runs), cdn
        drawn = {path.name: path.read_text() for path in pictures(source)}
        plain = {name for name, svg in drawn.items() if "prefers-color-scheme" not in svg}
        large = {name for name, svg in drawn.items() if width(svg) > LARGE}
        self.text = Text(set(drawn), plain, large)
        self.links = Links(self.places(), self.commits(), "STEPS.md")
        table = next((s.body for s in source.sections if s.title == "Glossary"), "")
        self.glossary = Glossary(table, source.section_of)
        self.order = self.reading_order()
        self.sizes = {}

    def places(self):
        """{anchor in STEPS.md: address}"""
        places = {step.tag: f"{step.tag}.html" for step in self.source.steps}
        for section in self.source.sections:
            name = f"{section.name}.html"
            places |= {section.name: name} | {a: f"{name}#{a}" for a in section.anchors}
        return places

    def commits(self):
        return {step.commit: f"{step.tag}.html#diff" for step in self.source.steps}

    def reading_order(self):
        """[(address, title)] of the pages that are read one after the other."""
        order = [("index.html", "stepgrad")]
        steps = {step.tag: step for step in self.source.steps}
        for section in self.source.sections:
            order.append((f"{section.name}.html", section.title))
            steps.pop(section.name, None)
        order += [(f"{tag}.html", str(step)) for tag, step in steps.items()]
        more = (("releases.html", "Releases"), ("readme.html", "The README"))
        return [*order, *more, ("mending.html", "For whoever mends this tutorial")]

    def framed(self, address, title, body, **options):
        """A page with the ways to those before and after it."""
        listed = [place for place, _ in self.order]
        before = after = None
        if address in listed:
            at = listed.index(address)
            before = self.order[at - 1] if at else None
            after = self.order[at + 1] if at + 1 < len(listed) else None
        return page(title, body, before=before, after=after, cdn=self.cdn, **options)

    def pages(self):
        """{path: content} of all pages but the pictures and what stands in static/."""
        found = {}
        steps = {step.tag: step for step in self.source.steps}
        for section in self.source.sections:
            if section.name not in steps:
                found[f"{section.name}.html"] = self.section(section)
        for step in steps.values():
            found[f"{step.tag}.html"] = self.step(step)
        found |= self.front() | self.releases() | self.files()
        found["search-index.js"] = index(self.source, self.searched())
        return found

    def searched(self):
        bodies = {f"{section.name}.html": section.body for section in self.source.sections}
        bodies |= {"readme.html": self.source.readme, "mending.html": self.mending()}
        bodies["contents.html"] = ""  # its table holds nothing that is not on the steps' pages
        return [(address, title, bodies.get(address, "")) for address, title in self.order]

    def section(self, section):
        """A page between the steps."""
        body = WAY.sub("\n", section.body)
        words = None if section.name == "contents" else self.glossary
        tag = "glossary" if section.title == "Glossary" else ""
        text = self.text.html(body, self.links, words=words, tag=tag)
        html = f"<h1>{escape(section.title)}</h1>"
        if section.name == "contents":
            html += "<p>Each point is a step, and a link to it."
            html += '<span class="narrow"> The chart scrolls to the side.</span></p>'
            html += chart(self.source)
            text = labelled(text)
        html += text
        title = f"{section.title} · stepgrad"
        kind = "prose broad" if section.name == "contents" else "prose"
        article = f'<article class="{kind}">{html}</article>'
        return self.framed(f"{section.name}.html", title, article)

    def step(self, step):
        source, runs = self.source, step.tag in self.runs
        section, changes = source.section_of[step.tag], source.changes[step.tag]
        stops = Stops(diff.shown_lines(changes, source.blobs))
        body = WAY.sub("\n", section.body) if section else ""
        text = self.text.html(body, self.links, stops, runs, self.glossary, step.tag)
        act = ROMAN[source.act_of[step.tag]]
        where = f"act {act} · {source.lines_changed(step)} lines of code · "
        where += '<a href="#diff">what it changes</a>'
        where += ' · <a href="#run">run it here</a>' if runs else ""
        code = diff.render_diff(changes, source.blobs, source.history, step.tag, stops.used)
        files = diff.render_files(source.trees[step.tag], changes, self.blob_sizes(step))
        tabs = ["diff", "files"] + (["run"] if runs else [])
        titles = {"diff": "Diff", "files": "Whole files", "run": "Run"}
        tab_list = "".join(f'<a href="#{name}">{titles[name]}</a>' for name in tabs)
        run = self.run_panel(step) if runs else ""
        html = f"""<div class="split">
<article class="prose">
<p class="where">{where}</p>
<h1>{escape(str(step))}</h1>
{text}
</article>
<section class="pane" aria-label="code of {step.tag}">
<nav class="tabs" aria-label="views of the code">{tab_list}</nav>
<div class="panel" id="diff"><h2>What {step.tag} changes</h2>{code}</div>
<div class="panel" id="files"><h2>All files at {step.tag}</h2>{files}</div>
{run}
</section>
</div>"""
        scripts = ("curve.js", "run.js") if runs else ()
        title = f"{step} · stepgrad"
        return self.framed(
            f"{step.tag}.html", title, html, scripts=scripts, kind="step", slug=step.slug
        )

    def run_panel(self, step):
        """Where run.js puts its buttons."""
        foreign = self.source.act_of[step.tag] > 1
        words = f"Untried: numpy and other packages come from {self.cdn} with the first run."
        note = f'<p class="note">{words}</p>' if foreign else ""
        return (
            f'<div class="panel" id="run" data-step="{step.tag}"><h2>Run {step.tag}</h2>{note}'
            '<p class="served">This needs JavaScript, and a page that came from a server: '
            "<code>make serve</code>.</p></div>"
        )

    def blob_sizes(self, step):
        for blob in self.source.trees[step.tag].values():
            if blob not in self.sizes:
                self.sizes[blob] = f"{self.source.blobs[blob].count(chr(10))} lines"
        return self.sizes

    def front(self):
        """The front page, the whole README, and the page for whoever mends."""
        links = Links(self.places(), self.commits())
        # Whoever reads this is in a browser already: how to get there stands in the whole README.
        first = self.source.readme.split("\n## Start")[0]
        start = self.source.steps[0]
        begin = f'<p class="begin"><a href="{start.tag}.html">Begin: {escape(str(start))}</a> '
        begin += '<a href="contents.html">All steps</a> '
        begin += '<a href="readme.html">The whole README</a></p>'
        if self.runs:
            begin += (
                '<p class="note">The steps of act I run in these pages, by “run it here”: '
                "nothing to install.</p>"
            )
        body = self.text.html(first, links).replace("</h1>", f"</h1>{begin}", 1)
        article = '<article class="prose">{}</article>'
        there = "“This page” means the repository's, from which this book is made: not this one."
        start = f'<h2 id="start">Start</h2>\n<p class="note">{there}</p>'
        readme = self.text.html(self.source.readme, links)
        readme = article.format(readme.replace('<h2 id="start">Start</h2>', start))
        mending = self.text.html(self.mending(), Links(self.places(), self.commits(), "book"))
        return {
            "index.html": self.framed("index.html", "stepgrad", article.format(body)),
            "readme.html": self.framed("readme.html", "README · stepgrad", readme),
            "mending.html": self.framed("mending.html", "Mend · stepgrad", article.format(mending)),
        }

    def mending(self):
        return (self.source.root / "book/README.md").read_text()

    def releases(self):
        """A list of releases, and a page for what each changed in the chain."""
        found, items = {}, []
        try:
            all_releases = releases("HEAD", self.source.root)
        except Problem:
            all_releases = []
        for release in all_releases:
            body = git("log", "-1", "--format=%B", release.merge, root=self.source.root)
            title, *lines = body.strip().split("\n")
            name = f"release-{release.number}.html"
            count = f"<small>{len(release.steps)} steps</small>"
            items.append(f'<li><a href="{name}">{escape(title)}</a> {count}</li>')
            said = compared(lines, self.source.steps) or "<p>Its message names no step.</p>"
            html = f'<article class="prose"><h1>{escape(title)}</h1>{said}</article>'
            found[name] = page(f"{title} · stepgrad", html, after=("releases.html", "Releases"))
        html = '<article class="prose"><h1>Releases</h1><p>A mistake is mended in the step that '
        html += "made it. Each release has a chain of its own, and its page says which steps are "
        html += f"others than before.</p><ul>{''.join(items)}</ul></article>"
        found["releases.html"] = self.framed("releases.html", "Releases · stepgrad", html)
        return found

    def files(self):
        """A page for every file as it stood at some step."""
        spans = {}
        for step in self.source.steps:
            for path, blob in self.source.trees[step.tag].items():
                spans.setdefault((path, blob), []).append(step)
        return {
            diff.file_page(path, blob): self.file(path, blob, steps)
            for (path, blob), steps in spans.items()
        }

    def file(self, path, blob, steps):
        lines = coloured(self.source.blobs[blob], path)
        if lines and not lines[-1]:
            lines = lines[:-1]
        first, last = steps[0].tag, steps[-1].tag
        when = f"from {first} to {last}" if len(steps) > 1 else f"at {first}"
        items = []
        for step, change in self.source.history.get(path, []):
            size = f"<small>+{change.count('+')} −{change.count('-')}</small>"
            where = f'<a href="../{step.tag}.html#{escape(path)}" target="_top">{step.tag}</a>'
            then = ""
            if change.kind != "gone" and change.new != blob and change.new != "1":
                then = f' · <a href="../{diff.file_page(path, change.new)}">as it was then</a>'
            items.append(f"<li>{where} {escape(step.title)} {size}{then}</li>")
        past = f"history: {len(items)} step{'s' if len(items) > 1 else ''}"
        past = f"<details><summary>{past}</summary><ul>{''.join(items)}</ul></details>\n"
        past = past if items else ""
        title = escape(path)
        code = "".join(f'<span id="L{n}" data-n="{n}">{x}\n</span>' for n, x in enumerate(lines, 1))
        html = f"""<article class="whole-file">
<h1><code>{title}</code></h1><p>As it stands {when}.</p>
{past}<pre class="lines" tabindex="0" role="group" aria-label="{title}">{code}</pre></article>"""
        touched = path in {change.path for change in self.source.changes[first]}
        back = (f"../{first}.html" + (f"#{path}" if touched else ""), str(steps[0]))
        return page(f"{path} · {first}", html, "../", before=back, kind="file")


def labelled(table):
    """A table whose cells know the headings of their columns, for screens too narrow for it."""
    heads = re.findall(r"<th>(.*?)</th>", table)

    def cells(row):
        names = iter(heads)
        return re.sub("<td>", lambda _: f'<td data-head="{next(names)}">', row[0])

    return re.sub(r"<tr>.*?</tr>", cells, table, flags=re.S)


def compared(lines, steps=()):
    """What a release's message says of the chain, before and now: a list of each kind.

    The steps that are there still, by their titles, are links.
    """
    places = {step.title: f"{step.tag}.html" for step in steps}
    kinds = {"!": "Changed, by their names before", ">": "New", "<": "Gone", "=": "As they were"}
    found = {kind: [] for kind in kinds}
    words = []
    for line in lines:
        if match := COMPARED.fullmatch(line):
            found[match[2]].append(match[4])
        elif line.strip() and line != "The chain, before and now:":
            words.append(line)
    html = f"<pre tabindex='0'>{escape(chr(10).join(words))}</pre>" if words else ""
    for kind, title in kinds.items():
        if found[kind]:
            items = "".join(f"<li>{linked(name, places)}</li>" for name in found[kind])
            html += f"<h2>{title}: {len(found[kind])}</h2><ul>{items}</ul>"
    return html


def linked(name, places):
    """The name of a step, step-07: Puzzles, as a link to the step that has this title now."""
    place = places.get(name.partition(": ")[2])
    return f'<a href="{place}">{escape(name)}</a>' if place else escape(name)


def width(svg):
    """How wide a picture is drawn."""
    return float(re.search(r'viewBox="\S+ \S+ (\S+)', svg)[1])


def pictures(source):
    return sorted((source.root / "book").glob("*.svg"))
