from typing import get_args

from services.contract.reasons import REASONS, STAGES, ReasonCode, Rule, StageCode


def test_every_code_has_a_meaning() -> None:
    assert set(REASONS) == set(get_args(ReasonCode))
    assert set(STAGES) == set(get_args(StageCode))


def test_rules_are_the_24_of_the_table() -> None:
    assert get_args(Rule) == tuple(f"R{n}" for n in range(24))


def test_meanings_name_a_rule_and_stages_name_none() -> None:
    assert all(meaning.rules for meaning in REASONS.values())
    assert not any(meaning.rules for meaning in STAGES.values())


def test_meanings_are_sentences() -> None:
    texts = [text for m in [*REASONS.values(), *STAGES.values()] for text in (m.sentence, m.action)]

    assert all(text[0].isupper() and text.endswith(".") for text in texts)
