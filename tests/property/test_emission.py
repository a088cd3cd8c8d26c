from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from services.contract.changes import Change
from services.contract.links import Link
from services.contract.policies import policy_digest
from services.contract.releases import Release, Restriction, Withdrawal
from services.filtering.emission import decide_pairs
from services.filtering.folding import fold
from services.filtering.likeness import moment_of
from services.filtering.linking import relink
from services.filtering.particulars import restrict
from services.filtering.subject import NOBODY
from services.filtering.terms import Contracts, terms_of
from tests.property.histories import changes
from tests.replay.invented import INE, contract_with, delete, for_families, joins, policy, restriction

TERMS = {term.pair: term for term in terms_of(policy(), policy_digest(policy()))}
CLOSED = ["given_name", "family_name", "school", "groups", "divisions", "birth_year", "email_relay"]
WIDE_POLICY = policy(contracts=contract_with(fields=CLOSED, required=[]), perimeter={"allowed_fields": CLOSED})
WIDE = {term.pair: term for term in terms_of(WIDE_POLICY, policy_digest(WIDE_POLICY))}
MODELS: dict[str, type[Release | Withdrawal | Restriction]] = {
    "release": Release, "withdrawal": Withdrawal, "restriction": Restriction,
}  # fmt: skip
texts = st.text(st.characters(codec="utf-8"), max_size=20)
codes = st.lists(st.fixed_dictionaries({"school": texts, "code": texts}), max_size=3)
identifiers = st.from_regex(r"p([\w \"\\/é€😀]{0,80}[^\s\W])?", fullmatch=True).map(partial(normalize, "NFC"))
NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)


@given(changes(), st.lists(st.integers(-3600, 3600), min_size=6, max_size=6))
def test_seq_grows_though_the_clock_goes_back(facts: list[Change], drifts: list[int]) -> None:
    subject, seq, issued = NOBODY, 0, []
    for fact, drift in zip(facts, drifts, strict=False):
        subject, _ = fold(subject, fact)
        decisions = decide_pairs(INE, subject, TERMS, NOON + timedelta(seconds=drift), seq)
        if decisions is None:
            continue
        subject, seq = decisions.subject, decisions.seq
        issued += [each.emission.seq for each in decisions.decided if each.emission]

    assert issued == sorted(set(issued))


@given(changes())
def test_deciding_twice_sends_nothing_the_second_time(facts: list[Change]) -> None:
    subject = NOBODY
    for fact in facts:
        subject, _ = fold(subject, fact)
    first = decide_pairs(INE, subject, TERMS, NOON, 0)
    second = first and decide_pairs(INE, first.subject, TERMS, NOON, first.seq)

    assert [each for each in (second.decided if second else ()) if each.emission] == []


said = st.fixed_dictionaries(
    {"given_name": texts, "family_name": texts, "school": texts, "groups": codes, "divisions": codes,
     "birth_date": st.none() | st.dates().map(str), "ine": st.none()}
)  # fmt: skip


@given(identifiers, said)
def test_what_goes_out_is_byte_for_byte_what_its_model_writes(name: str, said: dict[str, Any]) -> None:
    key = f"aaf-d99:{name}"
    subject, _ = fold(NOBODY, joins(id=name, attributes=said))
    first = decide_pairs(key, subject, WIDE, NOON, 0)
    assert first is not None
    particulars, _ = restrict(first.subject.particulars, restriction("article-18", "standing", "2026-09-14T08:00:00Z"))
    second = decide_pairs(key, first.subject.knowing(particulars), WIDE, NOON, first.seq)
    assert second is not None
    gone, _ = fold(second.subject, delete("20261001.1.000000001", id=name))
    third = decide_pairs(key, gone, WIDE, NOON, second.seq)
    all_three = (first, second, third)
    sent = [each.emission for decisions in all_three if decisions for each in decisions.decided if each.emission]

    assert [each.payload for each in sent] == ["release", "restriction", "withdrawal"]
    assert [each.value for each in sent] == [
        MODELS[each.payload].model_validate_json(each.value).model_dump_json().encode() for each in sent
    ]


pupils_keys = st.from_regex(r"[0-9]{9}[A-Z]{2}", fullmatch=True)
guardians = st.lists(st.fixed_dictionaries({"id": identifiers, "legal": st.sampled_from(("1", "2", None))}), max_size=3)


@given(pupils_keys, guardians)
def test_link_is_byte_for_byte_what_its_model_writes(ine: str, named: list[dict[str, Any]]) -> None:
    families = for_families()
    contracts = Contracts.of(terms_of(families, policy_digest(families)), {})
    subject, _ = fold(NOBODY, joins(attributes={"ine": ine, "guardians": named}))
    decisions = decide_pairs(ine, subject, contracts.terms, NOON, 0)
    assert decisions is not None
    words = relink(decisions.subject, decisions.person, contracts.linking, moment_of(NOON), decisions.seq).words

    assert [word.guardian for word in words] == list(dict.fromkeys(f"aaf-d99:{one['id']}" for one in named))
    assert [word.value for word in words] == [
        Link.model_validate_json(word.value).model_dump_json().encode() for word in words
    ]
