"""Who may say what, as a table: a platform, what it says, and why not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.contract.consents import ConsentDecision
from services.ingress.guard import Refusal, refuse_change, refuse_decision
from services.ingress.platforms import Platform
from tests.replay.invented import consent, delete, joins

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
INE = "999000001AB"
HERS = "guardian:aaf-d99:999-2001"


def platform(*sources: str, ine: bool = False) -> Platform:
    return Platform(name="ac-99", digest="0" * 64, sources=sources, ine=ine)


ACADEMIE = platform("aaf-d99", ine=True)
LOCAL = platform("aaf-d99")
TWO = platform("aaf-d99", "ent-99")


def says(
    subject: str, party: str = "child", status: str = "given", at: str = "2026-09-01T00:00:00Z"
) -> ConsentDecision:
    return consent(party, status, at, subject=subject)


@pytest.mark.parametrize(
    ("speaker", "decision", "refused"),
    [
        pytest.param(LOCAL, says("aaf-d99:999-1001"), None, id="its own subject"),
        pytest.param(LOCAL, says("aaf-d99:a:b"), None, id="its own subject, whose id has a colon"),
        pytest.param(TWO, says("ent-99:7"), None, id="a subject of its second source"),
        pytest.param(LOCAL, says("aaf-d98:999-1001"), "foreign-subject/subject", id="another region's subject"),
        pytest.param(LOCAL, says("aaf-d990:1"), "foreign-subject/subject", id="a source that begins like its own"),
        pytest.param(LOCAL, says("aaf-d9:1"), "foreign-subject/subject", id="a source that its own begins with"),
        pytest.param(ACADEMIE, says(INE), None, id="a pupil by the INE, where that is granted"),
        pytest.param(LOCAL, says(INE), "foreign-subject/subject", id="a pupil by the INE, where it is not"),
        pytest.param(ACADEMIE, says(INE.lower()), "not-a-subject/subject", id="an INE in another spelling"),
        pytest.param(ACADEMIE, says(f" {INE}"), "not-a-subject/subject", id="an INE after a blank"),
        pytest.param(ACADEMIE, says("Maïa"), "not-a-subject/subject", id="a name"),
        pytest.param(ACADEMIE, says("aaf-d99:"), "not-a-subject/subject", id="a source without an id"),
        pytest.param(ACADEMIE, says("aaf-d99:NULL"), "not-a-subject/subject", id="a placeholder for an id"),
        pytest.param(ACADEMIE, says("aaf-d99: 7"), "not-a-subject/subject", id="an id after a blank"),
        pytest.param(ACADEMIE, says("aaf-d99:7\n"), "not-a-subject/subject", id="an id before a line's end"),
        pytest.param(ACADEMIE, says("AAF-D99:7"), "not-a-subject/subject", id="a source in capitals"),
        pytest.param(ACADEMIE, says(INE, HERS), None, id="its own guardian"),
        pytest.param(ACADEMIE, says(INE, "guardian:aaf-d98:1"), "foreign-guardian/party", id="another's guardian"),
        pytest.param(ACADEMIE, says(INE, f"guardian:{INE}"), "foreign-guardian/party", id="a guardian by an INE"),
        pytest.param(ACADEMIE, says(INE, "guardian:x"), "foreign-guardian/party", id="a guardian by no key"),
        pytest.param(ACADEMIE, says(INE, "guardian:aaf-d98:1", "withdrawn"), "foreign-guardian/party",
                     id="another's guardian takes back"),
        pytest.param(LOCAL, says(INE, HERS, "withdrawn"), "foreign-subject/subject",
                     id="who may not speak of a pupil may not take back either"),
        pytest.param(ACADEMIE, says(INE, at="2026-09-15T08:05:00Z"), None, id="a yes five minutes ahead"),
        pytest.param(ACADEMIE, says(INE, at="2026-09-15T08:05:01Z"), "dated-ahead/at", id="a yes further ahead"),
        pytest.param(ACADEMIE, says(INE, at="2026-09-15T10:05:00+02:00"), None, id="in Paris it is two hours later"),
        pytest.param(ACADEMIE, says(INE, HERS, "withdrawn", "2030-01-01T00:00:00Z"), None,
                     id="a withdrawal is heard whatever its date"),
        pytest.param(ACADEMIE, says(INE, HERS, "refused", "2030-01-01T00:00:00Z"), None,
                     id="a refusal is heard whatever its date"),
    ],
)  # fmt: skip
def test_platform_speaks_of_its_own_subjects_in_the_name_of_its_own_guardians(
    speaker: Platform, decision: ConsentDecision, refused: str | None
) -> None:
    refusal = refuse_decision(speaker, decision, NOW)

    assert (refusal and "/".join(refusal)) == refused


@pytest.mark.parametrize(
    ("speaker", "said", "refused"),
    [
        pytest.param(ACADEMIE, {}, None, id="its own pupil, with an INE"),
        pytest.param(LOCAL, {"attributes": {"ine": None}}, None, id="its own pupil, without"),
        pytest.param(LOCAL, {}, ("foreign-subject", "attributes.ine"), id="an INE that it may not name"),
        pytest.param(ACADEMIE, {"source": "aaf-d98"}, ("foreign-source", "source"), id="someone else's region"),
        pytest.param(TWO, {"source": "ent-99", "attributes": {"ine": None}}, None, id="its second source"),
        pytest.param(ACADEMIE, {"version": "20260916.1.999999999"}, None, id="of tomorrow, as in Nouméa it is"),
        pytest.param(ACADEMIE, {"version": "20260917.0.000000000"}, ("dated-ahead", "version"), id="dated ahead"),
        pytest.param(ACADEMIE, {"version": "99999999.1.000000000"}, ("dated-ahead", "version"), id="of no day"),
        pytest.param(LOCAL, {"kind": "patch", "version": "20620915.1.000000000", "attributes": {"ine": None}},
                     ("dated-ahead", "version"), id="a patch dated ahead"),
    ],
)  # fmt: skip
def test_platform_changes_what_is_of_its_own_sources(
    speaker: Platform, said: dict[str, Any], refused: Refusal | None
) -> None:
    assert refuse_change(speaker, joins(**said), NOW) == refused


def test_platform_deletes_only_what_is_its_own() -> None:
    deletion = delete("20260915.1.000000001")

    assert refuse_change(LOCAL, deletion, NOW) is None
    assert refuse_change(platform("aaf-d98"), deletion, NOW) == ("foreign-source", "source")


def test_deletion_is_heard_whatever_its_date() -> None:
    assert refuse_change(LOCAL, delete("20620915.1.000000001"), NOW) is None
