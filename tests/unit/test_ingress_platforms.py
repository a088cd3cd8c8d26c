import json
import stat
from pathlib import Path

import pytest

from ops import platforms as on_disk
from services.contract.errors import SanctuaireError, Unreadable, WrongSettings
from services.ingress.platforms import Register, digest_of, parse_register
from services.ingress.register_file import RegisterFile

# printf sanctuaire_invented | sha256sum
DIGEST = "7ce395c5b85f8a862124eabf04408d337aeb107d5f0abae72f391bc53174cb3e"
CANARY = "ZORVELQUIMUR"


def entry(**differences: object) -> dict[str, object]:
    return {"name": "ac-99", "digest": "a" * 64, "sources": ["aaf-d99"], "ine": False, **differences}


def register(*entries: dict[str, object]) -> bytes:
    return json.dumps({"platforms": list(entries)}).encode()


def granted(path: Path, name: str = "ac-99", *, replace: bool = False, octet: int = 7) -> str:
    return on_disk.grant(
        path, name, ("aaf-d99",), ine=True, replace=replace, random_bytes=lambda count: bytes([octet]) * count
    )


def test_token_is_known_by_its_digest_alone() -> None:
    known = parse_register(register(entry(digest=digest_of("sanctuaire_invented")), entry(name="b")))

    found = known.platform_of("sanctuaire_invented")

    assert digest_of("sanctuaire_invented") == DIGEST
    assert found is not None
    assert found.name == "ac-99"
    assert DIGEST not in repr(known)


@pytest.mark.parametrize("token", ["", "sanctuaire_invente", "sanctuaire_invented ", DIGEST, "a" * 64, "\udcff"])
def test_any_other_token_is_nobody_s(token: str) -> None:
    assert parse_register(register(entry(digest=DIGEST))).platform_of(token) is None


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(register(entry(), entry(digest="b" * 64)), id="a name twice"),
        pytest.param(register(entry(), entry(name="other")), id="a token twice"),
        pytest.param(register(entry(sources=[])), id="no source"),
        pytest.param(register(entry(sources=[CANARY])), id="no name of a source"),
        pytest.param(register(entry(ine="yes")), id="no boolean"),
        pytest.param(register(entry(token=CANARY)), id="a token in clear"),
        pytest.param(register(entry(digest=CANARY)), id="no digest"),
        pytest.param(b'{"platforms":' + CANARY.encode(), id="no JSON"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_register_that_is_wrong_is_refused_whole_and_not_quoted(raw: bytes) -> None:
    with pytest.raises(Unreadable) as refusal:
        parse_register(raw)

    assert CANARY not in str(refusal.value)


def test_grant_gives_a_token_and_keeps_its_digest_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys/platforms.json"

    token = granted(path)

    # base64url of 32 times 0x07.
    assert token == "sanctuaire_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"
    assert token not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = on_disk.read(path).platform_of(token)
    assert found is not None
    assert (found.name, found.sources, found.ine) == ("ac-99", ("aaf-d99",), True)


def test_platform_that_is_there_gets_another_token_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "platforms.json"
    first = granted(path)
    with pytest.raises(WrongSettings, match="--replace"):
        granted(path, octet=8)
    second = granted(path, replace=True, octet=8)

    known = on_disk.read(path)
    assert len(known.platforms) == 1
    assert known.platform_of(first) is None
    assert known.platform_of(second) is not None


def test_revoked_platform_is_nobody_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "platforms.json"
    gone, stays = granted(path), granted(path, "ent-99", octet=8)

    on_disk.revoke(path, "ac-99")

    assert on_disk.read(path).platform_of(gone) is None
    assert on_disk.read(path).platform_of(stays) is not None
    with pytest.raises(WrongSettings, match="no such platform"):
        on_disk.revoke(path, "ac-99")


def test_name_that_is_none_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SanctuaireError) as refusal:
        granted(tmp_path / "platforms.json", CANARY)

    assert CANARY not in str(refusal.value)
    assert not (tmp_path / "platforms.json").exists()


def test_running_ingress_learns_of_a_grant_and_of_a_revocation(tmp_path: Path) -> None:
    path = tmp_path / "platforms.json"
    token = granted(path)
    held = RegisterFile(path)

    other = granted(path, "ent-99", octet=8)
    on_disk.revoke(path, "ac-99")

    current = held.current()
    assert current is not None
    assert current.platform_of(token) is None
    assert current.platform_of(other) is not None


@pytest.mark.parametrize("damage", ["cut", "gone", "shared"])
def test_register_that_cannot_be_used_any_more_lets_nobody_post_until_it_is_mended(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "platforms.json"
    token = granted(path)
    held = RegisterFile(path)
    whole = path.read_bytes()
    match damage:
        case "cut":
            path.write_bytes(whole[:-20])
        case "gone":
            path.unlink()
        case _:
            path.chmod(0o640)

    assert held.current() is None
    assert held.current() is None
    on_disk.write(path, parse_register(whole))
    mended = held.current()
    assert mended is not None
    assert mended.platform_of(token) is not None
    assert len([record for record in caplog.records if "SANCTUAIRE_PLATFORMS_FILE" in record.getMessage()]) == 1


@pytest.mark.parametrize("kind", ["unset", "absent", "shared", "wrong"])
def test_ingress_does_not_start_without_a_register_and_says_what_makes_one(kind: str, tmp_path: Path) -> None:
    path = tmp_path / CANARY
    if kind in {"shared", "wrong"}:
        path.write_bytes(register() if kind == "shared" else CANARY.encode())
        path.chmod(0o644 if kind == "shared" else 0o600)
    with pytest.raises(WrongSettings, match="SANCTUAIRE_PLATFORMS_FILE") as refusal:
        RegisterFile(None if kind == "unset" else path)

    said = str(refusal.value)
    assert ("chmod 600" if kind == "shared" else "sanctuaire ingress token NAME --source SOURCE") in said
    assert CANARY not in said


def test_register_of_nobody_is_a_register(tmp_path: Path) -> None:
    path = tmp_path / "platforms.json"
    on_disk.write(path, Register(platforms=()))

    held = RegisterFile(path).current()

    assert held is not None
    assert held.platform_of("sanctuaire_invented") is None
