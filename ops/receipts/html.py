"""A receipt as one HTML page that needs nothing else and prints on one sheet. Every text is escaped."""

from collections.abc import Iterable
from html import escape

from ops.receipts.page import Page, Section

_STYLE = """
    body { font: 11pt/1.45 system-ui, sans-serif; color: #000; background: #fff; margin: 2em auto; max-width: 42em;
           padding: 0 1em; }
    article + article { margin-top: 4em; }
    h1 { font-size: 1.5em; margin-bottom: .3em; }
    h2 { font-size: 1.05em; margin: 1.1em 0 .2em; border-bottom: 1px solid #666; }
    p, ul { margin: .25em 0; }
    .lead { font-size: 1.1em; }
    @media print { body { margin: 0; max-width: none; font-size: 9.5pt; }
                   article + article { margin-top: 0; break-before: page; }
                   section { break-inside: avoid; } }
"""


def html(pages: Iterable[Page]) -> str:
    """One article a receipt, each on a sheet of its own."""
    all_pages = list(pages)
    language, title = all_pages[0].language, all_pages[0].title
    articles = "\n".join(_article(page) for page in all_pages)
    return f"""<!doctype html>
<html lang="{escape(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
{articles}
</body>
</html>
"""


def _article(page: Page) -> str:
    sections = "\n".join(_section(section) for section in page.sections)
    return f'<article>\n<h1>{escape(page.title)}</h1>\n<p class="lead">{escape(page.lead)}</p>\n{sections}\n</article>'


def _section(section: Section) -> str:
    sentences = "".join(f"<p>{escape(sentence)}</p>\n" for sentence in section.sentences)
    items = "".join(f"<li>{escape(one)}</li>\n" for one in section.listed)
    listed = f"<ul>\n{items}</ul>\n" if items else ""
    return f"<section>\n<h2>{escape(section.heading)}</h2>\n{sentences}{listed}</section>"
