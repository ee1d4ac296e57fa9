"""The words of the glossary: where each is explained, and the sentence that explains it.

The table at the end of STEPS.md says which step a word is first in; there it stands in bold.
"""

import re
from dataclasses import dataclass

from markdown_it.token import Token

ROW = re.compile(r"^\| (.+?) \| \[(step-\d+)\]\(#step-\d+\) \|$", re.M)
RUN_IN = re.compile(r"^\s*\*\*[A-Z][^*]*\.\*\*\s*")
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z(])")
LONGEST = 400  # letters of a note
# Everyday words, which mostly mean something else where they stand.
PLAIN = {"log", "run", "page", "system", "word", "rule", "request", "program", "lock", "line"}
PLAIN |= {"pass", "group", "where", "owner", "noise", "value", "share", "core", "key", "queue"}
PLAIN |= {"gain", "mean", "in place"}


@dataclass
class Term:
    word: str
    tag: str
    tip: str
    bold: bool  # whether it stands in bold there, so that a link can lead to it

    @property
    def name(self):
        return re.sub(r"\W+", "-", self.word.lower()).strip("-")

    @property
    def place(self):
        return f"{self.tag}.html" + (f"#word-{self.name}" if self.bold else "")


def plain(text):
    """Markdown without its signs."""
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    return re.sub(r"\*\*|`|(?<!\w)\*|\*(?!\w)", "", " ".join(text.split()))


def listed(table):
    """[(word, tag), …] of the glossary's table; what stands in brackets is left out."""
    found = []
    for words, tag in ROW.findall(table):
        for word in re.split(r"[,;] (?![^(]*\))", words):
            if word := re.sub(r"\s*\(.*?\)", "", word).strip():
                found.append((word, tag))
    return found


def explained(word, body):
    """The sentence of a section in which a word stands in bold, or first; whether it is bold."""
    bold = re.search(rf"\*\*{re.escape(word)}s?\*\*", body, re.I)
    match = bold or re.search(rf"(?<![\w-]){re.escape(word)}s?(?![\w-])", body, re.I)
    if not match:
        return "", False
    start = max(body.rfind("\n\n", 0, match.start()), 0)
    end = body.find("\n\n", match.end())
    paragraph = RUN_IN.sub("", body[start : end if end > 0 else len(body)])
    sentences = SENTENCE.split(paragraph)
    sentence = plain(next((s for s in sentences if match[0] in s), ""))
    return sentence if len(sentence) < LONGEST else "", bool(bold)


def entries(text, terms):
    """The text of a cell, in which each term is a token of its own."""
    begin = 0
    for term in terms:
        at = text.find(term.word, begin)
        if at >= 0:
            yield Token("text", "", 0, content=text[begin:at])
            yield Token("term", "", 0, content=term.word, meta={"term": term})
            begin = at + len(term.word)
    yield Token("text", "", 0, content=text[begin:])


class Glossary:
    def __init__(self, table, section_of):
        self.terms = []
        for word, tag in listed(table):
            section = section_of.get(tag)
            sentence, bold = explained(word, section.body if section else "")
            tip = f"{sentence} ({tag})" if len(sentence) > 12 else f"First in {tag}."
            self.terms.append(Term(word, tag, tip, bold))
        self.known = {term.word.lower(): term for term in self.terms if self.marked(term.word)}
        words = sorted(self.known, key=len, reverse=True)
        union = "|".join(re.escape(word) for word in words)
        self.pattern = re.compile(rf"(?<![\w-])({union})(?:s?)(?![\w-])", re.I) if words else None

    @staticmethod
    def marked(word):
        return len(word) > 2 and word.lower() not in PLAIN

    def defined_in(self, tag):
        """{word as it stands in bold: its name} for the words that a step explains."""
        found = {}
        for term in self.terms:
            if term.tag == tag:
                found |= {term.word.lower(): term.name, f"{term.word.lower()}s": term.name}
        return found

    def mark_table(self, tokens):
        """Makes each word of the glossary's own table a link with its note."""
        cells = [token for token in tokens if token.type == "inline"]
        for cell, following in zip(cells, cells[1:]):
            tag = plain(following.content)
            if terms := [term for term in self.terms if term.tag == tag]:
                cell.children = list(entries(cell.content, terms))

    def mark(self, tokens, tag):
        """Gives the first use of each word a note. On a step's page a word that only a later step
        explains has its everyday meaning; on other pages all words have notes.
        """
        seen = {word for word, term in self.known.items() if tag and term.tag >= tag}
        if not self.pattern:
            return
        heading = False
        for token in tokens:
            if token.type.startswith("heading"):
                heading = token.type == "heading_open"
            if token.type == "inline" and not heading:
                token.children = list(self.marked_children(token.children, seen))

    def marked_children(self, children, seen):
        depth = 0
        for child in children:
            if child.type in ("link_open", "strong_open"):
                depth += 1
            elif child.type in ("link_close", "strong_close"):
                depth -= 1
            if child.type == "text" and not depth:
                yield from self.pieces(child, seen)
            else:
                yield child

    def pieces(self, child, seen):
        text, begin = child.content, 0
        for match in self.pattern.finditer(text):
            word = match[1].lower()
            written = match[1] == self.known[word].word or not self.known[word].word[0].isupper()
            if word in seen or not written:
                continue
            seen.add(word)
            yield Token("text", "", 0, content=text[begin : match.start()])
            yield Token("term", "", 0, content=match[0], meta={"term": self.known[word]})
            begin = match.end()
        yield Token("text", "", 0, content=text[begin:])
