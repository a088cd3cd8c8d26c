"""How far a pair has come and what is known of it, from bytes as the stages write them; no broker."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from rich.console import Console

from ops.explaining.kept import Entry
from ops.explaining.printing import to_json
from ops.explaining.showing import show
from ops.explaining.states import partition_of
from ops.explaining.trace import Asked, Trace, issued_at, trace, version_of
from ops.explaining.whereabouts import Found, StageLine, Whereabouts, sentence_of, whereabouts
from services.contract.policies import ProviderPolicy, policy_digest
from services.filtering.emission import decide_pairs
from services.filtering.folding import fold
from services.filtering.identity import Double, Identity
from services.filtering.merging import with_identity
from services.filtering.subject import NOBODY, Pair, Subject
from services.filtering.terms import terms_of
from tests.replay.invented import INE, contract_with, delete, joins, patch, policy

PAIR, NAME = "gar/GAR-2026", "gbhsd4ne3yi56r6dhee7ckmto3od2a6h"
PLACE = f"GAR-2026/{NAME}"
AT = datetime(2026, 9, 15, 8, tzinfo=UTC)
FENCE = Pair(20, "release", "0" * 32, ("person", "FR", "INE", INE), "pedagogical-access")


def entries(kept: Mapping[str, Any]) -> dict[bytes, Entry]:
    return {
        key.encode(): Entry(value if isinstance(value, bytes) else orjson.dumps(value), AT)
        for key, value in kept.items()
    }


def renamed(seq: int, *, parked: bool = False) -> dict[bytes, Entry]:
    kept: dict[str, Any] = {f"q/{PAIR}/{NAME}": seq}
    return entries(kept | ({f"p/{PAIR}/{NAME}": {"subject": "CANARY"}} if parked else {}))


def told(seq: int, until: str = "", why: str | None = None) -> dict[bytes, Entry]:
    kept: dict[str, Any] = {f"s/{PLACE}": [seq, True, until]}
    return entries(kept | ({f"w/{until}/{PLACE}": [why, 5, {"fields": "CANARY"}]} if why else {}))


def entered(seq: int, outcome: str, code: str, operation: str = "upsert") -> dict[bytes, Entry]:
    said = {"provider": "gar", "contract": "GAR-2026", "pseudonym": NAME, "seq": seq, "operation": operation,
            "at": "2026-09-15T07:00:00Z", "outcome": outcome, "code": code}  # fmt: skip
    return entries({f"{PAIR}/{NAME}": said})


def far(pseudonymisation: Any = None, connector: Any = None, ledger: Any = None) -> Whereabouts:
    return whereabouts(PAIR, NAME, FENCE, Found(pseudonymisation or {}, connector or {}, ledger or {}))


def words(found: Whereabouts) -> list[tuple[str, str | None, bool]]:
    return [(line.word, line.code, found.owed) for line in found.stages]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(far(), [("not-there", None, True)] * 3, id="nobody has heard of it"),
        pytest.param(far(renamed(10), told(10), entered(10, "delivered", "delivered")),
                     [("behind", None, True), ("behind", None, True), ("behind", "delivered", True)],
                     id="all have an older word"),
        pytest.param(far(renamed(20, parked=True), told(10)),
                     [("refused", None, True), ("behind", None, True), ("not-there", None, True)],
                     id="refused by the pseudonymiser"),
        pytest.param(far(renamed(20), told(20, "1789462800", "release-window")),
                     [("taken", None, True), ("waits", "release-window", True), ("not-there", None, True)],
                     id="waits for its window"),
        pytest.param(far(renamed(20), told(20, "0000000000", "backlog")),
                     [("taken", None, True), ("waits", "backlog", True), ("not-there", None, True)],
                     id="waits behind a backlog"),
        pytest.param(far(renamed(20), told(20, "~", "place-not-allowed"), entered(20, "deferred", "place-not-allowed")),
                     [("taken", None, True), ("waits", "place-not-allowed", True),
                      ("deferred", "place-not-allowed", True)], id="waits for the policies"),
        pytest.param(far(renamed(20), told(20), entered(20, "delivered", "delivered")),
                     [("taken", None, False), ("told", None, False), ("delivered", "delivered", False)],
                     id="delivered"),
        pytest.param(far(renamed(20), told(20), entered(20, "refused", "unexpected")),
                     [("taken", None, False), ("told", None, False), ("refused", "unexpected", False)],
                     id="refused by the provider"),
    ],
)  # fmt: skip
def test_how_far_a_pair_has_come(found: Whereabouts, expected: list[tuple[str, str | None, bool]]) -> None:
    assert words(found) == expected


def test_a_word_that_waits_says_until_when() -> None:
    window, policies = far(connector=told(20, "1789462800", "release-window")), far(connector=told(20, "~", "x"))

    assert window.stages[1].at == datetime(2026, 9, 15, 9, tzinfo=UTC)
    assert policies.stages[1].at is None


def test_an_entry_of_another_pair_is_none_of_this_one() -> None:
    others = {key.replace(b"GAR-2026", b"GAR-2025"): entry for key, entry in told(20).items()}

    assert far(connector=others).stages[1] == StageLine("connector", "not-there")


def test_how_far_consents_are_applied_is_what_the_connector_last_heard() -> None:
    assert (
        far(connector=entries({"~heartbeat/0": 1789459200000000, "~heartbeat/1": 1789459201000000})).consents_until
        == AT
    )


def test_a_code_says_what_to_do() -> None:
    assert sentence_of("release-window") == ("It leaves when the contract's release window ends.", "Nothing to do.")
    assert sentence_of("no such code") == ("", "")


@pytest.mark.parametrize(
    ("key", "partition"),
    [
        # murmur2 of "21" and "foobar" are published with Kafka's own tests (UtilsTest.testMurmur2).
        pytest.param("21", (-973932308 & 0x7FFFFFFF) % 12, id="21"),
        pytest.param("foobar", (-790332482 & 0x7FFFFFFF) % 12, id="foobar"),
    ],
)
def test_a_key_lies_where_every_client_of_kafka_puts_it(key: str, partition: int) -> None:
    assert partition_of(key, 12) == partition


def released(under: ProviderPolicy, **attributes: Any) -> Subject:
    subject, _ = fold(NOBODY, joins(attributes=attributes))
    decisions = decide_pairs(INE, subject, {t.pair: t for t in terms_of(under, policy_digest(under))}, AT, 0)
    assert decisions is not None
    return decisions.subject


def traced(
    known: Subject, under: ProviderPolicy | None, *, values: bool = False, approved: frozenset[str] = frozenset()
) -> Trace:
    return trace(Asked(INE, "gar", AT, values, INE, 3, AT, known, approved), under, None, "no keys")


def test_what_the_filter_would_do_now_is_told_beside_what_it_said_last() -> None:
    known = released(policy())
    moved, _ = fold(known, patch("20260916.1.000000001", level="4EME"))
    (same,), (other,) = traced(known, policy()).contracts, traced(moved, policy()).contracts

    assert (same.now and same.now.reason, same.now and same.now.emission) == ("unchanged", None)
    assert other.now is not None
    assert other.now.emission is not None
    assert other.now.emission.payload == "release"


@pytest.mark.parametrize(
    ("approved", "expected"),
    [
        pytest.param(frozenset({PAIR}), ("erased", "R1/no-contract"), id="approved"),
        pytest.param(frozenset(), ("held", "deletion-guard"), id="nobody has approved it"),
    ],
)
def test_a_pair_whose_contract_is_gone_is_owed_an_erasure_once_it_is_approved(
    approved: frozenset[str], expected: tuple[str, str]
) -> None:
    (gone,) = traced(released(policy()), policy(contracts=[]), approved=approved).contracts

    assert (gone.pair, gone.contract, gone.explanation) == (PAIR, None, None)
    assert gone.now is not None
    assert (gone.now.end, gone.now.reason) == expected


def test_a_pair_of_a_provider_without_a_policy_is_shown_as_it_is() -> None:
    (left,) = traced(released(policy()), None).contracts

    assert (left.now, left.fence and left.fence.last) == (None, "release")


def test_contracts_of_other_providers_are_not_spoken_of() -> None:
    other = policy(provider="lecture", contracts=contract_with(id="LEC-2026"))
    known = released(policy())
    decided = decide_pairs(INE, known, {t.pair: t for t in terms_of(other, policy_digest(other))}, AT, 0)

    assert decided is not None
    assert [each.pair for each in traced(decided.subject, policy()).contracts] == [PAIR]


def test_each_source_shows_its_versions_and_names_and_no_value() -> None:
    known, _ = fold(released(policy()), patch("20260916.1.000000012", level="4EME"))
    document = to_json(traced(known, policy()))
    (source,) = document["sources"]

    assert source["picked"] is True
    assert source["patched"]["level"] == {
        "version": "20260916.1.000000012", "day": "2026-09-16", "export": "delta", "number": 12,
    }  # fmt: skip
    assert "values" not in source
    assert "4EME" not in str(document)


def test_a_version_and_a_seq_say_when() -> None:
    assert version_of("20260901.0.000000007") == ("2026-09-01", "complete", 7)
    assert issued_at(FENCE._replace(seq=1_789_459_200_000_000)) == AT


def shown(of: Trace, width: int = 200) -> str:
    out = io.StringIO()
    show(to_json(of), Console(file=out, width=width))
    return out.getvalue()


def test_the_tables_show_every_rule_and_field_and_what_was_left_out() -> None:
    text = shown(traced(released(policy(), given_name="Camille 06 39 98 00 12"), policy()))

    assert all(f"R{number} " in text for number in range(24))
    assert "its value holds phone" in text
    assert "R3/public-task: A task in the public interest covers the release." in text
    assert "last word: release" in text
    assert "Left out: pseudonym and delivery. no keys" in text
    assert "06 39 98 00 12" not in text


def test_the_tables_say_what_a_contract_has_nothing_to_do_with() -> None:
    text = shown(traced(released(policy()), policy(contracts=contract_with(kinds=["teacher"]))))

    assert "Not concerned: The contract is not for this kind of person. (kind-not-in-contract)" in text
    assert "ERASE" in text


def test_values_and_markup_in_them_are_shown_as_they_are() -> None:
    text = shown(traced(released(policy(), given_name="[bold]Zoé[/bold]"), policy(), values=True))

    assert "[bold]Zoé[/bold]" in text


WAYS = Identity(
    claims={"ent-d99:e-1": 5, "ent-d99:e-2": -6}, settled={"aaf-d99:999-1001": 4, "ent-d99:e-3": -7},
    doubles=(Double(PAIR, INE, 3, ("person", "aaf-d99", "local", "999-1001"), "pedagogical-access"),),
)  # fmt: skip


def test_other_keys_of_hers_are_counted_and_why_nothing_new_goes_is_said() -> None:
    document = to_json(traced(with_identity(released(policy()), WAYS), policy()))
    doubt = document["keys"].pop("doubt")
    text = shown(traced(with_identity(released(policy()), WAYS), policy()))

    assert document["keys"] == {"merged": 1, "awaited": 1, "refused": 1, "doubles": 1}
    assert doubt["code"] == "merge-under-way"
    assert "Merged: what was known under 1 other key(s) is in here" in text
    assert "Held: An INE shows that two keys are one person's" in text
    assert "999-1001" not in text + str(document)


def test_other_keys_are_named_where_values_are_asked_for() -> None:
    text = shown(traced(with_identity(released(policy()), WAYS), policy(), values=True))

    assert "aaf-d99:999-1001" in text
    assert "ent-d99:e-3" not in text


def test_what_would_be_released_now_is_held_while_a_key_of_hers_is_awaited() -> None:
    known, _ = fold(with_identity(released(policy()), WAYS), patch("20260916.1.000000001", level="4EME"))
    (contract,) = traced(known, policy()).contracts

    assert contract.now is not None
    assert (contract.now.end, contract.now.reason) == ("held", "merge-under-way")


def test_of_somebody_with_one_key_no_other_is_spoken_of() -> None:
    text = shown(traced(released(policy()), policy()))

    assert "key(s)" not in text


def test_who_is_gone_is_shown_without_fields() -> None:
    gone, _ = fold(released(policy()), delete("20261001.1.000000001"))
    text = shown(traced(gone, policy()))

    assert "deleted by delta of 2026-10-01" in text
    assert "Field by field" not in text


def test_who_is_nobody_yet_is_said_to_be() -> None:
    patched, _ = fold(NOBODY, patch("20260916.1.000000001", level="5EME"))

    assert "no source has given a whole image" in shown(traced(patched, policy()))


def test_a_provider_without_any_contract_has_nothing_to_show() -> None:
    assert "nothing was ever released to it" in shown(traced(fold(NOBODY, joins())[0], policy(contracts=[])))
