"""The book's Markdown as HTML: links lead to the site's pages, raw HTML does not get through.

Of HTML the book uses comments, anchors and <picture>; these are understood, all else is escaped.
"""

import re
from html import escape

import colour
from markdown_it import MarkdownIt
from markdown_it.token import Token
from source import short_form

RUN_IN = re.compile(r"[A-Z][\w' -]+\.$")  # **Idea.** at the beginning of a paragraph: a heading
COMMENT = re.compile(r"<!--(.*?)-->", re.S)
A_NAME = re.compile(r'<a id="([\w-]+)"></a>')
IMAGE = re.compile(r'<img src="book/([\w.-]+)"(?: width="\d+")? alt="([^"]*)">')
PICTURE = re.compile(r"book/([\w.-]+\.svg)")
STOP = re.compile(r"(?<!\S)(\d{1,2})\.(?: |$)")
SCROLLS = 'tabindex="0" role="group"'


class Text:
    """Renders pieces of the book. pictures: names of the files in book/ that may be shown; plain:
    those among them that are drawn for white paper only; large: those that a phone must scroll.
    """

    def __init__(self, pictures, plain=(), large=()):
        self.pictures, self.plain, self.large = pictures, plain, large
        self.markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
        self.reset(None, None)
        rules = ("fence", "code_block", "html_block", "html_inline", "image", "link_open")
        rules += ("table_open", "table_close", "heading_open", "code_inline", "strong_open", "term")
        rules += ("th_open", "th_close")
        for name in rules:
            self.markdown.renderer.rules[name] = getattr(self, name)

    def reset(self, links, stops, runs=False):
        self.links, self.stops, self.runs = links, stops, runs
        self.defines = {}
        self.sessions, self.used, self.hidden = 0, [], ""

    def html(self, text, links, stops=None, runs=False, words=None, tag=""):
        """runs: whether the lines of a Python session can be run on the page; words: a Glossary,
        whose words get a note, except those that the section of the step `tag` itself explains;
        with the tag "glossary" it is its own table.
        """
        self.reset(links, stops, runs)
        tokens = self.headed(self.markdown.parse(text))
        if stops:
            mark_stops(tokens)
        if words and tag == "glossary":
            words.mark_table(tokens)
        elif words:
            self.defines = words.defined_in(tag)
            words.mark(tokens, tag)
        return self.markdown.renderer.render(tokens, self.markdown.options, {})

    def headed(self, tokens):
        """**Idea.** at the beginning of a paragraph becomes a heading of its own."""
        result = []
        for token, following in zip(tokens, [*tokens[1:], None]):
            if token.type == "paragraph_open" and token.level == 0:
                children = [t for t in following.children if t.type != "text" or t.content]
                kinds = [child.type for child in children[:3]]
                if kinds == ["strong_open", "text", "strong_close"]:
                    title = children[1].content
                    if RUN_IN.match(title):
                        result += self.markdown.parse(f"## {title.rstrip('.')}")
                        following.children = children[3:]
            result.append(token)
        return result

    # What follows are rules of markdown-it's renderer: (tokens, index, options, env) -> HTML.

    def heading_open(self, tokens, index, options, env):
        name = slug = short_form(tokens[index + 1].content)
        while name in self.used:
            name = f"{slug}-{self.used.count(slug)}"
        self.used += [name] if name == slug else [name, slug]
        return f'<{tokens[index].tag} id="{escape(name)}">'

    def link_open(self, tokens, index, options, env):
        return f'<a href="{escape(self.links(tokens[index].attrs["href"]))}">'

    def code_inline(self, tokens, index, options, env):
        token = tokens[index]
        code = f"<code>{escape(token.content, quote=False)}</code>"
        place = self.stops.find(token.content) if token.meta.get("stop") else None
        return f'<a class="stop" href="#{escape(place)}">{code}</a>' if place else code

    def strong_open(self, tokens, index, options, env):
        name = self.defines.pop(tokens[index + 1].content.lower(), None)
        return f'<strong id="word-{name}">' if name else "<strong>"

    def term(self, tokens, index, options, env):
        term, words = tokens[index].meta["term"], escape(tokens[index].content, quote=False)
        return f'<a class="word" href="{term.place}" data-tip="{escape(term.tip)}">{words}</a>'

    def image(self, tokens, index, options, env):
        token = tokens[index]
        match = PICTURE.fullmatch(token.attrs["src"])
        return self.picture(match[1], token.content) if match else escape(token.content)

    def picture(self, name, words):
        """An image; where there is a dark one too, both, of which the style sheet hides one."""
        if name not in self.pictures:
            return f"<em>{escape(words)}</em>"
        words, dark = escape(words), name.replace("-light.", "-dark.")
        image = '<img class="{}" src="pictures/{}" alt="{}" loading="lazy">'
        if dark == name or dark not in self.pictures:
            kind = "paper" if name in self.plain else "own"  # one that knows light and dark itself
            images = image.format(kind, name, words)
        else:
            images = image.format("light", name, words) + image.format("dark", dark, words)
        if name in self.large:
            return f'<span class="wide" {SCROLLS} aria-label="picture">{images}</span>'
        return images

    def html_block(self, tokens, index, options, env):
        return self.html_inline(tokens, index, options, env)

    def html_inline(self, tokens, index, options, env):
        content = tokens[index].content
        hints = [c.strip() for c in COMMENT.findall(content)]
        self.hidden = next((h for h in hints if h.startswith("not run:")), "")
        content = COMMENT.sub("", content)
        result = ""
        for match in re.finditer(r"<picture>.*?</picture>", content, re.S):
            image = IMAGE.search(match[0])
            result += f"<p>{self.picture(image[1], image[2])}</p>" if image else escape(match[0])
        content = re.sub(r"<picture>.*?</picture>", "", content, flags=re.S)
        result += "".join(f'<span id="{escape(name)}"></span>' for name in A_NAME.findall(content))
        rest = A_NAME.sub("", content).replace("</a>", "").strip()
        anchors = re.fullmatch(r'<a id="([\w-]+)">', rest)
        if anchors:
            return f'{result}<span id="{anchors[1]}"></span>'
        return result + escape(rest, quote=False)

    def fence(self, tokens, index, options, env):
        token = tokens[index]
        why, self.hidden = self.hidden.removeprefix("not run: "), ""
        note = f'<p class="note">Not run by the check: {escape(why)}.</p>' if why else ""
        if token.info == "console":
            return note + self.console(token.content.rstrip("\n"))
        if token.info == "python":
            return note + block(colour.python(token.content.rstrip("\n")))
        return note + block(escape(token.content.rstrip("\n"), quote=False))

    def code_block(self, tokens, index, options, env):
        text = tokens[index].content.rstrip("\n")
        if colour.is_python(text):
            return block(colour.python(text))
        return block(escape(text, quote=False))

    def console(self, text):
        """What is typed in bold; sessions of Python in a block each, so that they can be run."""
        parts, session = [[]], False
        for line in text.split("\n"):
            begins = bool(re.match(r"\$ .*python3? -q$", line))
            if parts[-1] and (begins or (session and line.startswith("$ "))):
                parts.append([])
            if line.startswith("$ "):
                session = begins
            parts[-1].append(line)
        return "".join(self.terminal(part) for part in parts if part)

    def terminal(self, lines):
        typed = []
        for line in lines:
            match = re.match(r"(\$|>>>|\.\.\.)( |$)(.*)", line)
            if not match:
                typed.append(f"<samp>{escape(line, quote=False)}</samp>")
                continue
            sign = escape(match[1]) + match[2]
            code = escape(match[3], quote=False)
            if match[1] != "$":
                code = colour.python(match[3])
            typed.append(f"<b>{sign}</b><kbd>{code}</kbd>")
        is_session = any(line.startswith(">>> ") for line in lines)
        name = ' class="term"'
        if is_session and self.runs:
            self.sessions += 1
            name = f' class="term" data-session="{self.sessions}"'
        return f'<pre{name} {SCROLLS} aria-label="terminal">' + "\n".join(typed) + "</pre>\n"

    def table_open(self, tokens, index, options, env):
        return f'<div class="wide" {SCROLLS} aria-label="table"><table>'

    def th_open(self, tokens, index, options, env):
        """A heading without words is none."""
        return "<th>" if tokens[index + 1].content else "<td>"

    def th_close(self, tokens, index, options, env):
        return "</th>" if tokens[index - 1].content else "</td>"

    def table_close(self, tokens, index, options, env):
        return "</table></div>"


def block(html):
    return f'<pre {SCROLLS} aria-label="code">{html}</pre>\n'


def mark_stops(tokens):
    """Marks the code words under the heading "Read the diff", and makes its numbers bold."""
    inside, counted = False, []
    for token, following in zip(tokens, [*tokens[1:], None]):
        if token.type == "heading_open":
            inside = following.content == "Read the diff"
        elif inside and token.type == "inline":
            token.children = [p for child in token.children for p in stop_parts(child, counted)]


def stop_parts(child, counted):
    """counted: the numbers so far; one that is not the next ends a sentence."""
    if child.type == "code_inline":
        child.meta["stop"] = True
    if child.type != "text":
        return [child]
    parts = []
    for n, words in enumerate(STOP.split(child.content)):
        text = Token("text", "", 0, content=f"{words}." if n % 2 else words)
        if n % 2 and int(words) == len(counted) + 1:
            counted.append(words)
            parts += [Token("strong_open", "strong", 1), text, Token("strong_close", "strong", -1)]
        else:
            parts.append(text)
        if n % 2:
            parts.append(Token("text", "", 0, content=" "))
    return parts
