"""What every page has: its head, the bar on top, and the way to its neighbours."""

from html import escape

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'{cdn}; worker-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)


def page(title, body, place="", before=None, after=None, scripts=(), kind="text", slug="", cdn=""):
    """A whole page.

    place: "../" for a page in a folder; before, after: (address, title) of its neighbours; slug:
    the short name of its step; cdn: the one other address that it may load from.
    """
    policy = POLICY.format(cdn=f" {cdn}" if cdn else "")
    extra = "".join(f'<script src="{place}static/{name}" defer></script>' for name in scripts)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<link rel="icon" href="{place}static/icon.svg">
<link rel="stylesheet" href="{place}static/book.css">
<script src="{place}static/theme.js"></script>
<script src="{place}static/book.js" defer></script>{extra}
</head>
<body class="{kind}" data-place="{place}" data-slug="{slug}">
<a class="skip" href="#main">to the text</a>
<header class="bar">
<a class="home" href="{place}index.html">stepgrad</a>
<nav aria-label="site">{arrows(before, after)}
<a href="{place}contents.html">steps</a>
<a href="{place}end.html">glossary</a>
<button id="search" type="button" aria-keyshortcuts="/">search <kbd>/</kbd></button>
<button id="theme" type="button">light or dark</button>
<button id="keys" type="button" aria-label="keys">?</button>
</nav>
</header>
<main id="main" tabindex="-1">
{body}
</main>
{neighbours(before, after)}
</body>
</html>
"""


def arrows(before, after):
    """The same ways as links at the end of the page, where the bar has room for them."""
    ways = (("previous", before, "←"), ("next", after, "→"))
    return "".join(
        f'\n<a class="turn" href="{way[0]}" aria-label="{name} page: {escape(way[1])}">{sign}</a>'
        for name, way, sign in ways
        if way
    )


def neighbours(before, after):
    links = ""
    if before:
        links += f'<a rel="prev" href="{before[0]}">← {escape(before[1])}</a>'
    if after:
        links += f'<a rel="next" href="{after[0]}">{escape(after[1])} →</a>'
    return f'<nav class="steps" aria-label="pages">{links}</nav>' if links else ""
