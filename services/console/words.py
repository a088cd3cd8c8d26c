"""What the page says in the reader's language, and how numbers and durations are written in it."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final, Literal, NamedTuple

import yaml

from services.contract.reasons import DROPS, REASONS, STAGES, Meaning
from services.contract.rulebook import RULEBOOK

Language = Literal["en", "fr"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")
_MEANINGS: Final[Mapping[str, Meaning]] = {**STAGES, **REASONS, **DROPS}  # type: ignore[dict-item]  # codes, all of them texts
_RULES: Final = {str(rule): asked for rule, asked in RULEBOOK.items()}


class Said(NamedTuple):
    """One code in words: what it means, and what an operator should do."""

    sentence: str
    action: str


@cache
def _read(name: str) -> Mapping[str, Mapping[str, str]]:
    text = resources.files("services.console").joinpath(name).read_text("utf-8")
    read: Mapping[str, Mapping[str, str]] = yaml.safe_load(text)
    return read


class Words:
    """One language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, **parts: object) -> str:
        text = _read("words.yaml")[key][self.language]
        for name, part in parts.items():
            text = text.replace(f"{{{name}}}", str(part))
        return text

    def of_code(self, code: str) -> Said:
        meaning = _MEANINGS.get(code)
        if meaning is None:
            return Said(self("unknown-code"), self("upgrade"))
        if self.language == "fr" and code in _read("reasons.fr.yaml"):
            french = _read("reasons.fr.yaml")[code]
            return Said(french["sentence"], french["action"])
        return Said(meaning.sentence, meaning.action)

    def of_rule(self, rule: str) -> str:
        """Its question; in the language of the rules."""
        asked = _RULES.get(rule)
        return asked.question if asked else ""

    def number(self, value: float) -> str:
        """Whole, with thousands apart."""
        return f"{round(value):,}".replace(",", "\u202f" if self.language == "fr" else ",")

    def rate(self, value: float) -> str:
        """With a decimal where it is small."""
        if 0 < value < 10:
            text = f"{value:.1f}"
            return text.replace(".", ",") if self.language == "fr" else text
        return self.number(value)

    def duration(self, seconds: float) -> str:
        """To one unit."""
        if seconds < 10 and seconds != round(seconds):
            text = f"{max(seconds, 0.1):.1f}\u202fs"
            return text.replace(".", ",") if self.language == "fr" else text
        for bound, unit, size in ((120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
            if seconds < bound:
                return f"{round(seconds / size)}\u202f{unit}"
        return f"{round(seconds / 86_400)}\u202f{'j' if self.language == 'fr' else 'd'}"
