from datetime import UTC, datetime

from services.contract.reads import ReadAct, read_act, sealed_subject, speaks_of
from tests.replay.invented import INE, example

AT = datetime(2026, 9, 15, 8, tzinfo=UTC)


def act(key: str = INE, salt: bytes = bytes(range(16))) -> ReadAct:
    return read_act(key=key, salt=salt, at=AT, by="a.dupuis", reference="DPD-2026-17", provider="lecture", found=True,
                    values=False)  # fmt: skip


def test_the_record_says_who_looked_and_when_and_of_whom_nothing_that_can_be_read() -> None:
    written = act().model_dump_json()

    assert "a.dupuis" in written
    assert INE not in written


def test_an_auditor_who_has_the_key_finds_the_record_and_no_other() -> None:
    assert speaks_of(act(), INE)
    assert not speaks_of(act(), "999000002AB")


def test_two_looks_at_one_person_cannot_be_linked_without_her_key() -> None:
    assert act().subject != act(salt=bytes(range(1, 17))).subject


def test_a_key_is_sealed_as_in_the_published_example() -> None:
    published = example("read-act/1/pupil-is-explained")

    assert sealed_subject(INE, bytes.fromhex(published["salt"])) == published["subject"]


def test_scrypt_is_that_of_rfc_7914() -> None:
    """§12, the third vector, has the same cost: these are its first 32 octets."""
    assert sealed_subject("pleaseletmein", b"SodiumChloride") == (
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    )
