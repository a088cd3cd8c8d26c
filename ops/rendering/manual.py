"""The manual page of the rules: the tables that the tests run, and what each reason code means. Decides nothing.

What a chapter says of its rules, and its rows, stand once, in tests/spec.
"""

import re
from pathlib import Path

from ops.rendering.tables import table
from services.contract.reasons import DROPS, REASONS, STAGES, Meaning

TABLES = Path("tests", "spec")
"""From the root of the repository."""
_RULE = re.compile(r"^\*\*(R[0-9]+)\*\* ", re.MULTILINE)


def rules_page(root: Path) -> str:
    """All chapters, in the order of the rules: what they say, their reason codes, their rows."""
    chapters = [path.read_text(encoding="utf-8") for path in sorted((root / TABLES / "rules").glob("*.md"))]
    bases = (root / TABLES / "bases.md").read_text(encoding="utf-8")
    return "\n\n".join([_lower(bases), *map(_chapter, chapters), _of_fields(), _of_stages()])


def rules_of(chapter: str) -> list[str]:
    """The rules that a chapter explains, each in a paragraph that begins with its name."""
    return _RULE.findall(chapter)


def row_count(chapter: str) -> int:
    """How many rows its table has, head and rule left out."""
    return sum(line.startswith("|") for line in chapter.splitlines()) - 2


def _chapter(text: str) -> str:
    words, mark, rows = text.partition("\n|")
    rules = rules_of(words)
    codes = {code: meaning for code, meaning in REASONS.items() if set(meaning.rules) & set(rules)}
    given = [
        (f"`{code}`", ", ".join(r for r in meaning.rules if r in rules), *_said(meaning))
        for code, meaning in codes.items()
    ]
    reasons = table(("Reason", "Given by", "Says", "What to do"), given)
    head = f"{row_count(text)} rows, each of which a test runs:"
    return "\n\n".join([_lower(words).strip(), reasons, head, (mark + rows).strip()])


def _of_fields() -> str:
    rows = [(rule, *_said(meaning)) for rule, meaning in DROPS.items()]
    return (
        "## Fields that stay inside\n\nSomebody is released, a field of hers is not: the lowest rule says why.\n\n"
        + table(("Rule", "Says", "What to do"), rows)
    )


def _of_stages() -> str:
    rows = [(f"`{code}`", *_said(meaning)) for code, meaning in STAGES.items()]
    return "## Reasons that no rule gives\n\nA stage gives them, about what it read or could not read.\n\n" + table(
        ("Reason", "Says", "What to do"), rows
    )


def _said(meaning: Meaning) -> tuple[str, str]:
    return meaning.sentence, meaning.action


def _lower(text: str) -> str:
    """A heading lower: on the page, the page's own is the first."""
    return re.sub(r"^#", "##", text, flags=re.MULTILINE).strip()
