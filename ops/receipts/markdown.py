"""A receipt as Markdown (CommonMark). Every text is escaped: a value can neither format anything nor add a line."""

import re
from collections.abc import Iterable

from ops.receipts.page import Page

_SPECIAL = re.compile(r"[\\`*_\[\]<>|~&]|^[-+#=]|^\d+(?=[.)])")
"""What formats anywhere, and what does at the beginning of a line."""


def markdown(pages: Iterable[Page]) -> str:
    """One receipt after another, a rule between them."""
    return "\n---\n\n".join(_page(page) for page in pages)


def _page(page: Page) -> str:
    lines = [f"# {_text(page.title)}", "", _text(page.lead), ""]
    for section in page.sections:
        lines += [f"## {_text(section.heading)}", ""]
        for sentence in section.sentences:
            lines += [_text(sentence), ""]
        if section.listed:
            lines += [*(f"- {_text(one)}" for one in section.listed), ""]
    return "\n".join(lines)


def _text(text: str) -> str:
    return _SPECIAL.sub(_escaped, " ".join(text.split()))


def _escaped(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"
