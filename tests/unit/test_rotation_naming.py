"""The pseudonymiser while names change: who is told which name, and that nothing of before comes back."""

from typing import Any

import pytest

from services.contract.releases import Release, Renaming, Restriction, Withdrawal
from services.contract.topology import PSEUDONYMISATION_AUDIT, RELEASES, WITHDRAWALS
from services.pseudonymisation.agent import PseudonymisationAgent
from services.pseudonymisation.keyring import Keyring, KeySource, ProviderKeys
from services.pseudonymisation.lifecycle import retired
from services.pseudonymisation.pseudonym import Pseudonymiser
from services.runtime.agent import NotYet
from tests.property.rotating import REKEYED, ROTATED
from tests.replay.invented import INE, bytes_of, example, policy
from tests.replay.rapid import KEYRING
from tests.unit.stage_runs import Stage, book, ends_of, told

NORMAL, EXPRESS = "provisioning.operations.gar.v1", "provisioning.withdrawals.gar.v1"
GAR = "gar/GAR-2026"
FAMILY = "pedagogical-access"


def name(serial: int, keyring: Keyring = ROTATED) -> str:
    names = Pseudonymiser.under(keyring.keys_of("gar", FAMILY, serial).current)
    return names.pseudonym("person", "FR", "INE", INE)


OLD, NEW = name(0), name(1)


def emission(model: type[Any], seq: int, serial: int, **own: Any) -> tuple[bytes, bytes]:
    whole = example("release/1/pupil-to-a-public-service", policy_version=4, fields={"level": "5EME"})
    shared = {part: whole[part] for part in model.model_fields.keys() & whole.keys()}
    content = shared | {"seq": seq, "key_serial": serial} | own
    return told(model.model_validate(content, strict=False), INE)


def release(seq: int, serial: int) -> tuple[bytes, bytes]:
    return emission(Release, seq, serial)


def withdrawal(seq: int, serial: int) -> tuple[bytes, bytes]:
    return emission(Withdrawal, seq, serial, reasons=("R1/subject-deleted",))


def restriction(seq: int, serial: int) -> tuple[bytes, bytes]:
    return emission(Restriction, seq, serial, reasons=("R15/objection-open",), restricted=True)


def renaming(seq: int, serial: int) -> tuple[bytes, bytes]:
    return emission(Renaming, seq, serial, renamed=True)


def naming(keyring: Keyring = ROTATED, **differences: Any) -> Stage:
    return Stage(PseudonymisationAgent(book(policy(**differences)), KeySource.of(keyring)))


def said(stage: Stage, topic: str) -> list[tuple[str, str]]:
    """Kind and pseudonym of every operation; of a rotation, both names."""
    found = []
    for each in stage.of(topic):
        kind = next((part for part in ("renamed_to", "restricted", "fields", "adopted") if part in each), "delete")
        found.append((kind, each["pseudonym"] + (f" {each['renamed_to']}" if kind == "renamed_to" else "")))
    return found


def before(stage: Stage, topic: str) -> list[tuple[str, list[str] | None]]:
    """By which names of before each operation says that she may be known, if it says anything of them."""
    return [(each["pseudonym"], each.get("renamed_from")) for each in stage.of(topic)]


def seqs(stage: Stage, topic: str) -> list[int]:
    return [each["seq"] for each in stage.of(topic)]


ROTATION = ("renamed_to", f"{OLD} {NEW}")


async def test_first_release_under_other_names_tells_both_names_and_then_only_the_new_one_is_used() -> None:
    stage = naming()
    await stage.take(RELEASES, release(10, 0), release(11, 1), release(12, 1))

    assert said(stage, NORMAL) == [("fields", OLD), ROTATION, ("fields", NEW), ("fields", NEW)]
    assert said(stage, EXPRESS) == []


async def test_who_was_never_known_by_an_old_name_is_told_no_rotation() -> None:
    stage = naming()
    await stage.take(RELEASES, release(11, 1))

    assert said(stage, NORMAL) == [("fields", NEW)]


@pytest.mark.parametrize(("topic", "lane"), [(WITHDRAWALS, EXPRESS), (RELEASES, NORMAL)], ids=["her own", "of a sweep"])
async def test_withdrawal_while_names_change_erases_both_on_its_own_lane(topic: str, lane: str) -> None:
    before, after = naming(), naming()
    await before.take(RELEASES, release(10, 0))
    await before.take(topic, withdrawal(12, 1))
    await after.take(RELEASES, release(10, 0), release(11, 1))
    await after.take(topic, withdrawal(12, 1))

    for stage in (before, after):
        assert sorted(each for each in said(stage, lane) if each[0] == "delete") == sorted(
            [("delete", OLD), ("delete", NEW)]
        )


async def test_restriction_while_names_change_says_the_new_name_first_and_both_at_once() -> None:
    stage = naming()
    await stage.take(RELEASES, release(10, 0), restriction(12, 1))

    assert said(stage, NORMAL) == [("fields", OLD)]
    assert said(stage, EXPRESS) == [ROTATION, ("restricted", NEW)]


async def test_renaming_alone_tells_each_name_of_the_other_once_and_nothing_else() -> None:
    stage = naming()
    await stage.take(RELEASES, release(10, 0), renaming(11, 1), renaming(12, 1))

    assert said(stage, NORMAL) == [("fields", OLD), ROTATION, ("adopted", NEW)]
    assert before(stage, NORMAL) == [(OLD, None), (OLD, None), (NEW, [OLD])]
    assert ends_of(stage, PSEUDONYMISATION_AUDIT)[-1] == (GAR, "held", "renamed")


@pytest.mark.parametrize("later", [withdrawal, restriction], ids=["withdrawal", "restriction"])
async def test_release_of_before_that_comes_late_is_superseded(later: Any) -> None:
    stage = naming()
    await stage.take(WITHDRAWALS, later(12, 1))
    await stage.take(RELEASES, release(10, 0))

    assert said(stage, NORMAL) == []
    assert ends_of(stage, PSEUDONYMISATION_AUDIT)[-1] == (GAR, "refused", "superseded")


async def test_provider_rekeyed_while_everybody_rotates_is_told_the_last_name_from_each_of_before() -> None:
    first, second, third = (name(serial, REKEYED) for serial in (0, 1, 2))
    stage = naming(REKEYED)
    await stage.take(RELEASES, release(10, 0), release(11, 1), release(12, 2))

    assert said(stage, NORMAL)[3:] == [
        ("renamed_to", f"{first} {third}"),
        ("renamed_to", f"{second} {third}"),
        ("fields", third),
    ]


async def test_release_that_never_left_and_is_refused_again_is_parked_under_the_new_name_alone() -> None:
    stage = naming(places=[])
    await stage.take(RELEASES, release(10, 0), release(11, 1))

    assert said(stage, NORMAL) == []
    assert [key for key, _ in stage.state.scan(b"p/", None)] == [f"p/{GAR}/{NEW}".encode()]


def allowing(stage: Stage, version: int, **differences: Any) -> None:
    stage.agent._policies.apply(b"gar", bytes_of(policy(version=version, **differences)))  # type: ignore[attr-defined]  # the book of this agent


async def test_parked_release_leaves_under_the_new_name_after_a_renaming_as_the_last_word_of_it() -> None:
    stage = naming()
    await stage.take(RELEASES, release(8, 0))
    allowing(stage, 5, places=[])
    await stage.take(RELEASES, release(10, 0), renaming(12, 1))
    waited = said(stage, NORMAL)
    allowing(stage, 6)
    await stage.sweep()

    assert waited == [("fields", OLD), ROTATION, ("adopted", NEW)]
    assert said(stage, NORMAL)[3:] == [("fields", NEW)]
    assert seqs(stage, NORMAL) == [8, 12, 11, 12]
    assert before(stage, NORMAL)[2:] == [(NEW, [OLD]), (NEW, [OLD])]
    assert list(stage.state.scan(b"p/", None)) == []


async def test_release_that_is_refused_where_the_provider_has_her_says_the_new_name_alone() -> None:
    stage = naming()
    await stage.take(RELEASES, release(8, 0))
    allowing(stage, 5, places=[])
    await stage.take(RELEASES, release(10, 1))

    assert said(stage, NORMAL) == [("fields", OLD), ROTATION, ("adopted", NEW)]
    assert seqs(stage, NORMAL) == [8, 10, 9]


async def test_release_that_never_left_is_parked_anew_and_nobody_is_told_of_either_name() -> None:
    stage = naming(places=[])
    await stage.take(RELEASES, release(10, 0), renaming(12, 1))
    waited = said(stage, NORMAL)
    allowing(stage, 5)
    await stage.sweep()
    await stage.take(WITHDRAWALS, withdrawal(14, 1))

    assert waited == []
    assert before(stage, NORMAL) == [(NEW, None)]
    assert sorted(said(stage, EXPRESS)) == sorted([("delete", OLD), ("delete", NEW)])


@pytest.mark.parametrize("later", [release, restriction], ids=["release", "restriction"])
async def test_every_word_says_the_name_of_before_for_as_long_as_it_may_be_known(later: Any) -> None:
    stage = naming()
    await stage.take(RELEASES, release(10, 0), release(11, 1), release(12, 1))
    await stage.take(WITHDRAWALS, later(13, 1), withdrawal(14, 1))
    said_before = [each for topic in (NORMAL, EXPRESS) for each in before(stage, topic) if each[0] == NEW]

    assert said_before == [(NEW, [OLD])] * 4


async def test_who_was_erased_under_a_name_of_before_comes_back_as_somebody_new() -> None:
    stage = naming()
    await stage.take(RELEASES, release(10, 0))
    await stage.take(WITHDRAWALS, withdrawal(11, 0))
    await stage.take(RELEASES, release(12, 1))

    assert before(stage, NORMAL) == [(OLD, None), (NEW, None)]


async def test_who_was_erased_while_names_change_comes_back_as_somebody_new() -> None:
    stage = naming()
    await stage.take(RELEASES, release(10, 0))
    await stage.take(WITHDRAWALS, withdrawal(12, 1))
    await stage.take(RELEASES, release(13, 1))

    assert before(stage, EXPRESS) == [(OLD, None), (NEW, [OLD])]
    assert before(stage, NORMAL) == [(OLD, None), (NEW, None)]


async def test_release_that_leaves_a_sweep_while_names_change_says_the_name_of_before() -> None:
    stage = naming()
    await stage.take(RELEASES, release(8, 0))
    allowing(stage, 5, places=[])
    await stage.take(RELEASES, release(10, 1))
    allowing(stage, 6)
    await stage.sweep()

    assert before(stage, NORMAL)[-1] == (NEW, [OLD])


@pytest.mark.parametrize(
    ("keyring", "serial"),
    [
        pytest.param(KEYRING, 1, id="not come as far yet"),
        pytest.param(retired(ROTATED), 0, id="retired"),
    ],
)
async def test_what_the_keyring_does_not_name_waits(keyring: Keyring, serial: int) -> None:
    stage = naming(keyring)
    with pytest.raises(NotYet, match="no-key"):
        await stage.take(RELEASES, release(10, serial))

    assert stage.sent == []


async def test_keyring_that_has_changed_is_asked_for_every_key_anew_at_the_next_tick() -> None:
    held = [ROTATED]

    def keys_of(provider: str, family: str, serial: int) -> ProviderKeys:
        return held[0].keys_of(provider, family, serial)

    source = KeySource("FR", keys_of, lambda: id(held[0]))
    stage = Stage(PseudonymisationAgent(book(policy()), source))
    await stage.take(RELEASES, release(10, 0))
    held[0] = retired(ROTATED)
    await stage.take(RELEASES, release(11, 0))
    await stage.tick()
    with pytest.raises(NotYet, match="no-key"):
        await stage.take(RELEASES, release(12, 0))

    assert said(stage, NORMAL) == [("fields", OLD), ("fields", OLD)]
