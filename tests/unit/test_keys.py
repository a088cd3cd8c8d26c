"""The key files: made once, private, apart, and refused with the command that mends them."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.keys import KeyFiles, change, init, load, pseudonym_line, read_root
from services.contract.errors import NoKey, NotAnIdentifier, Unusable, WeakKey, WrongSettings
from services.contract.identifiers import IdType
from services.pseudonymisation.keyring import EpochState
from services.pseudonymisation.lifecycle import prepared, retired

KEK = bytes.fromhex("c4a90f6e5d1b7832e6f0439ab8175cd21e8f63a4097bd5e2f1386c04ba9d7e51")
ROOT = bytes.fromhex("6f1d0a9be2473c58f0c6b19d2ea874053b7ef8c142d96a1590ad3cf27be65481")
NONCE = bytes.fromhex("a1b2c3d4e5f60718293a4b5c")
NEXT_ROOT = bytes.fromhex("0b9d7e35c1f84a6290e3d75b1ca82f464e70d9b3f8152ca7617f04e98bd3c25a")
OTHER_NONCE = bytes.fromhex("0f1e2d3c4b5a69788796a5b4")


def drawing(*draws: bytes) -> Callable[[int], bytes]:
    """A source of randomness that gives these octets in turn, and only in the lengths asked for."""
    waiting = list(draws)

    def random_bytes(length: int) -> bytes:
        octets = waiting.pop(0)
        assert len(octets) == length
        return octets

    return random_bytes


def made(directory: Path) -> KeyFiles:
    return init(directory, "FR", drawing(KEK, ROOT, NONCE))


def permissions(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_both_files_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        files = made(tmp_path / "keys")
    finally:
        os.umask(before)

    assert permissions(files.keyring) == 0o600
    assert permissions(files.kek) == 0o600
    assert permissions(tmp_path / "keys") == 0o700
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["keyring.kek", "keyring.sealed"]


def test_key_encryption_key_is_raw_in_its_own_file_and_no_root_lies_open(tmp_path: Path) -> None:
    files = made(tmp_path)

    assert files.kek.read_bytes() == KEK
    assert ROOT not in files.keyring.read_bytes()
    assert ROOT.hex().encode() not in files.keyring.read_bytes()


def test_keyring_loads_as_it_was_made(tmp_path: Path) -> None:
    files = made(tmp_path)

    keyring = load(files.keyring, files.kek)

    assert keyring.perimeter == "FR"
    assert keyring.active_epoch.root is not None
    assert keyring.active_epoch.root.reveal() == ROOT


def test_system_randomness_makes_a_keyring_that_opens(tmp_path: Path) -> None:
    files = init(tmp_path, "FR", os.urandom)

    assert load(files.keyring, files.kek).active_epoch.number == 1


@pytest.mark.parametrize("taken", ["keyring.kek", "keyring.sealed"])
@pytest.mark.parametrize("how", ["file", "dangling-link"])
def test_init_overwrites_nothing_and_leaves_nothing(tmp_path: Path, taken: str, how: str) -> None:
    if how == "file":
        (tmp_path / taken).write_bytes(b"what was there")
    else:
        (tmp_path / taken).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(WrongSettings, match=f"{taken}: already there"):
        made(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == [taken]


@pytest.mark.parametrize(
    ("draws", "what"),
    [
        pytest.param((bytes(32), ROOT, NONCE), "key-encryption key", id="zeros"),
        pytest.param((KEK, b"\x07" * 32, NONCE), "root", id="root-of-one-octet"),
        pytest.param((KEK, KEK, NONCE), "root: equal", id="the-same-draw-twice"),
    ],
)
def test_broken_source_of_randomness_makes_no_file(tmp_path: Path, draws: tuple[bytes, ...], what: str) -> None:
    with pytest.raises(WeakKey, match=f"^{what}"):
        init(tmp_path / "keys", "FR", drawing(*draws))

    assert list(tmp_path.iterdir()) == []


def test_perimeter_without_name_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(NoKey, match="perimeter"):
        init(tmp_path / "keys", "", drawing(KEK, ROOT, NONCE))

    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(WrongSettings, match=r"keys: cannot be written \("):
        made(tmp_path / "file" / "keys")


def test_key_encryption_key_made_in_vain_is_taken_back(tmp_path: Path) -> None:
    source = drawing(KEK, ROOT, NONCE)

    def random_bytes(length: int) -> bytes:
        if length == len(NONCE):  # someone else takes the name at the last moment
            (tmp_path / "keyring.sealed").write_bytes(b"what was there")
        return source(length)

    with pytest.raises(WrongSettings, match="already there"):
        init(tmp_path, "FR", random_bytes)

    assert [path.name for path in tmp_path.iterdir()] == ["keyring.sealed"]
    assert (tmp_path / "keyring.sealed").read_bytes() == b"what was there"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o666, 0o610])
def test_key_encryption_key_that_others_reach_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, mode: int
) -> None:
    files = made(tmp_path / "the keys")
    files.kek.chmod(mode)

    with pytest.raises(WeakKey) as refusal:
        load(files.keyring, files.kek)

    assert f"mode {mode:04o}" in str(refusal.value)
    assert str(refusal.value).endswith(f"run `chmod 600 '{files.kek}'`")


@pytest.mark.parametrize("mode", [0o400, 0o600])
def test_key_encryption_key_that_only_its_owner_reaches_is_accepted(tmp_path: Path, mode: int) -> None:
    files = made(tmp_path)
    files.kek.chmod(mode)

    assert load(files.keyring, files.kek).perimeter == "FR"


@pytest.mark.parametrize("missing", ["keyring.kek", "keyring.sealed"])
def test_missing_file_is_named_with_the_command_that_makes_it(tmp_path: Path, missing: str) -> None:
    files = made(tmp_path)
    (tmp_path / missing).unlink()

    with pytest.raises(NoKey, match=rf"{missing}: no such file; .*`sanctuaire keys init`"):
        load(files.keyring, files.kek)


def test_folder_and_oversized_file_are_no_key_files(tmp_path: Path) -> None:
    files = made(tmp_path)
    oversized = tmp_path / "oversized"
    oversized.write_bytes(bytes(2**20 + 1))

    with pytest.raises(NoKey, match="cannot be read"):
        load(tmp_path, files.kek)
    with pytest.raises(NoKey, match="far too large"):
        load(oversized, files.kek)


def test_keyring_is_taken_a_step_on_in_place_and_no_octet_of_a_key_shows(tmp_path: Path) -> None:
    files = made(tmp_path)

    changed = change(files, lambda keyring: prepared(keyring, NEXT_ROOT), drawing(OTHER_NONCE))

    assert load(files.keyring, files.kek) == changed
    assert [(epoch.number, epoch.state) for epoch in changed.epochs] == [
        (1, EpochState.ACTIVE),
        (2, EpochState.PENDING),
    ]
    assert stat.S_IMODE(files.keyring.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keyring.kek", "keyring.sealed"]
    for secret in (ROOT, NEXT_ROOT, KEK):
        assert secret.hex() not in repr(changed)
        assert repr(secret)[2:-1] not in repr(changed)


def test_step_that_is_refused_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    files = made(tmp_path)
    before = files.keyring.read_bytes()

    with pytest.raises(WrongSettings, match="no rotation is under way"):
        change(files, retired, drawing(OTHER_NONCE))

    assert files.keyring.read_bytes() == before


def test_root_file_holds_any_thirty_two_octets(tmp_path: Path) -> None:
    path = tmp_path / "root"
    path.write_bytes(bytes(range(32)))
    path.chmod(0o644)

    assert read_root(path) == bytes(range(32))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_root_file_of_another_length_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "root"
    path.write_bytes(bytes(length))

    with pytest.raises(NoKey, match=f"32 raw octets are needed, {length} were found"):
        read_root(path)


def line(*, id_type: IdType = "INE", value: str = "1234567890A", uuid: bool = False, epoch: int = 1) -> str:
    return pseudonym_line(
        bytes(range(32)),
        perimeter="FR",
        provider="prov-a.example",
        purpose_family="pedagogical-access",
        epoch=epoch,
        generation=0,
        entity_class="person",
        namespace="fr-idf",
        id_type=id_type,
        value=value,
        uuid=uuid,
    )


def test_line_is_the_pseudonym_of_the_design_or_its_uuid() -> None:
    assert line() == "gbhsd4ne3yi56r6dhee7ckmto3od2a6h"
    assert line(uuid=True) == "304f21f1-a4de-81df-87c3-3909f1299376"


@pytest.mark.parametrize("value", ["", "null", " NA ", "0", "123", "0690078K"])
def test_line_of_what_is_no_identifier_is_an_error(value: str) -> None:
    with pytest.raises(NotAnIdentifier):
        line(value=value)


def test_line_of_an_epoch_that_cannot_be_is_an_error() -> None:
    with pytest.raises(Unusable, match="epoch"):
        line(epoch=-1)
