"""The life of a keyring: which step may follow which, and what each does to the names that it gives."""

from collections.abc import Callable

import pytest

from services.contract.errors import NoKey, WeakKey, WrongSettings
from services.pseudonymisation.keyring import Keyring, first_keyring
from services.pseudonymisation.lifecycle import activated, destroyed, prepared, rekeyed, retired

FIRST = bytes.fromhex("6f1d0a9be2473c58f0c6b19d2ea874053b7ef8c142d96a1590ad3cf27be65481")
SECOND = bytes.fromhex("0b9d7e35c1f84a6290e3d75b1ca82f464e70d9b3f8152ca7617f04e98bd3c25a")
THIRD = bytes.fromhex("93f2c8a15e7b0d46b1694fe83ad7025cc50e9817f36b2ad4087de14c59b6a3f0")

NEW = first_keyring("FR", FIRST)
ROTATING = activated(prepared(NEW, SECOND))


def states(keyring: Keyring) -> list[str]:
    return [f"{epoch.number} {epoch.state}" for epoch in keyring.epochs]


def test_whole_life_of_a_root() -> None:
    lives = [NEW, prepared(NEW, SECOND), ROTATING, retired(ROTATING), destroyed(retired(ROTATING), 1)]

    assert [states(keyring) for keyring in lives] == [
        ["1 active"],
        ["1 active", "2 pending"],
        ["1 dual", "2 active"],
        ["1 retired", "2 active"],
        ["1 destroyed", "2 active"],
    ]
    assert [keyring.serial for keyring in lives] == [0, 0, 1, 1, 1]
    assert [keyring.is_rotating for keyring in lives] == [False, False, True, False, False]
    assert lives[-1].epochs[0].root is None


def test_preparing_and_retiring_change_nobodys_name() -> None:
    assert prepared(NEW, SECOND).keys_of("p", "q") == NEW.keys_of("p", "q")
    assert retired(ROTATING).keys_of("p", "q").current == ROTATING.keys_of("p", "q").current
    assert retired(ROTATING).keys_of("p", "q").former == ()


def test_rotation_changes_every_providers_key_and_what_was_named_before_is_named_as_before() -> None:
    for provider in ("gar", "lecture"):
        before, after = NEW.keys_of(provider, "q", 0).current, ROTATING.keys_of(provider, "q", 1)

        assert after.current != before
        assert after.former == (before,)
        assert ROTATING.keys_of(provider, "q", 0).current == before


def test_rekeying_changes_one_providers_key_however_often_and_whatever_else_goes_on() -> None:
    once = rekeyed(ROTATING, "gar")
    twice = rekeyed(once, "gar")
    keys = [ROTATING.keys_of("gar", "q", 0), ROTATING.keys_of("gar", "q", 1), once.keys_of("gar", "q")]

    assert twice.keys_of("gar", "q").former == tuple(each.current for each in keys)
    assert twice.keys_of("lecture", "q") == ROTATING.keys_of("lecture", "q")
    assert (twice.serial, twice.serial_of("gar"), twice.serial_of("lecture")) == (3, 3, 1)
    assert [(each.number, str(each.state)) for each in twice.generations] == [(0, "dual"), (1, "dual"), (2, "active")]


def test_rotation_after_a_rekeying_keeps_the_generation() -> None:
    settled = retired(rekeyed(NEW, "gar"))
    rotating = activated(prepared(settled, SECOND))

    assert rotating.generation("gar") == 1
    assert rotating.keys_of("gar", "q").former == (settled.keys_of("gar", "q").current,)


def test_a_retired_root_names_nobody_and_a_destroyed_one_is_gone() -> None:
    for keyring in (retired(ROTATING), destroyed(retired(ROTATING), 1)):
        with pytest.raises(NoKey, match="epoch 1 does not name anyone"):
            keyring.keys_of("p", "q", 0)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        pytest.param(lambda: activated(NEW), "no epoch is prepared", id="activated unprepared"),
        pytest.param(lambda: prepared(prepared(NEW, SECOND), THIRD), "prepared already", id="prepared twice"),
        pytest.param(lambda: activated(prepared(ROTATING, THIRD)), "has not ended", id="two rotations at once"),
        pytest.param(lambda: retired(NEW), "no rotation is under way", id="retired without a rotation"),
        pytest.param(lambda: destroyed(NEW, 1), "only a retired root", id="active root destroyed"),
        pytest.param(lambda: destroyed(ROTATING, 1), "only a retired root", id="dual root destroyed"),
        pytest.param(lambda: destroyed(ROTATING, 7), "epoch 7 is unknown", id="unknown root destroyed"),
        pytest.param(
            lambda: destroyed(destroyed(retired(ROTATING), 1), 1), "only a retired root", id="destroyed twice"
        ),
    ],
)
def test_step_out_of_its_order_is_refused_and_the_right_one_is_named(step: Callable[[], Keyring], message: str) -> None:
    with pytest.raises(WrongSettings, match=message):
        step()


def test_next_root_may_be_neither_weak_nor_one_that_is_there() -> None:
    with pytest.raises(WeakKey, match=r"^root: "):
        prepared(NEW, bytes(32))
    with pytest.raises(NoKey, match="share a root"):
        prepared(NEW, FIRST)
