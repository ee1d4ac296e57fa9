"""Code in colour: Pygments' tokens as HTML, a line at a time, in seven classes."""

import ast
import functools
import textwrap
from html import escape

from pygments.lexers import BashLexer, MakefileLexer, PythonLexer, TOMLLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String

# The first that fits; what fits none stays uncoloured, which keeps pages small.
CLASSES = (
    (Comment, "c"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (String, "s"),
    (Number, "m"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Decorator, "d"),
    (Name.Builtin, "b"),
    (Name.Exception, "b"),
)
LEXERS = {".py": PythonLexer, ".toml": TOMLLexer, ".sh": BashLexer, "Makefile": MakefileLexer}


def class_of(kind):
    return next((name for parent, name in CLASSES if kind in parent), "")


@functools.cache
def coloured(text, path):
    """The lines of a file as HTML."""
    lexer = next((make for end, make in LEXERS.items() if path.endswith(end)), None)
    if lexer is None:
        return [escape(line, quote=False) for line in text.split("\n")]
    lines = [[]]
    for kind, words in lexer(stripnl=False, ensurenl=False).get_tokens(text):
        name = class_of(kind)
        for number, piece in enumerate(words.split("\n")):
            if number:
                lines.append([])
            if not piece:
                continue
            piece, last = escape(piece, quote=False), lines[-1]
            if last and last[-1][0] == name:
                last[-1] = (name, last[-1][1] + piece)
            else:
                last.append((name, piece))
    return ["".join(f"<i class={n}>{p}</i>" if n else p for n, p in line) for line in lines]


def python(text):
    """A piece of Python as HTML."""
    return "\n".join(coloured(text, "piece.py"))


def is_python(text):
    """Whether a block of the book is Python: it can be parsed, and is more than words."""
    try:
        tree = ast.parse(textwrap.dedent(text))
    except (SyntaxError, ValueError):
        return False
    plain = (ast.Name, ast.Constant, ast.Tuple)
    return any(
        not (isinstance(node, ast.Expr) and isinstance(node.value, plain)) for node in tree.body
    )
