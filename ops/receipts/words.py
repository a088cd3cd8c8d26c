"""The words of a receipt in one language, and how a day and a country are written in it."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path

import orjson
from babel import Locale
from babel.dates import format_date, format_datetime

from ops.policy_yaml import parse_yaml
from services.contract.errors import Payload
from services.contract.parsing import parse_payload
from services.contract.policies import PARIS
from services.ingress.particulars import MAX_PARTICULARS_BYTES, Language

WORDS_FILE = Path(__file__).parent / "words.yaml"
_LOCALES: Mapping[Language, str] = {"fr": "fr", "en": "en_GB"}


class Vocabulary(Payload):
    """One language."""

    sentences: Mapping[str, str]
    moment: str
    """Pattern of an instant (Unicode TR 35)."""
    fields: Mapping[str, str]


class AllWords(Payload):
    fr: Vocabulary
    en: Vocabulary


class Words:
    """Says one thing after another in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._vocabulary = all_words().fr if language == "fr" else all_words().en
        self._locale = _LOCALES[language]

    def say(self, sentence: str, /, **filled: str) -> str:
        return self._vocabulary.sentences[sentence].format(**filled)

    def field(self, name: str) -> str:
        return self._vocabulary.fields[name]

    def moment(self, at: datetime) -> str:
        """In Paris, where the families are."""
        return format_datetime(at, self._vocabulary.moment, tzinfo=PARIS, locale=self._locale)

    def day(self, day: date) -> str:
        return format_date(day, "long", locale=self._locale)

    def country(self, code: str) -> str:
        return str(Locale.parse(self._locale).territories.get(code, code))


@cache
def all_words() -> AllWords:
    return parse_payload(AllWords, orjson.dumps(parse_yaml(WORDS_FILE.read_text("utf-8"))), MAX_PARTICULARS_BYTES)
