import base64
import json
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ops.cli import main
from ops.policy_signatures import (
    SignatureFile,
    fingerprint,
    generate,
    read_signature,
    read_signing_key,
    read_trusted,
    sign,
    verify,
    write_signature,
)
from services.contract.errors import NoKey, NotSigned, WeakKey, WrongSettings

AT = datetime(2026, 9, 15, 8, 30, 0, 123000, tzinfo=UTC)
FILES = {"perimeter.yaml": b"a: 1\n", "gar.yaml": b"b: 2\n"}
# RFC 8032 §7.1, test 1.
SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
KEY, TRUSTED = Ed25519PrivateKey.from_private_bytes(SECRET), Ed25519PublicKey.from_public_bytes(PUBLIC)


def test_who_signed_and_when_is_known_afterwards() -> None:
    signed = verify(FILES, sign(FILES, KEY, "A. Operator", AT), [TRUSTED])

    assert (signed.by, signed.at) == ("A. Operator", AT)
    # SHA-256 of the 32 octets of the public key of RFC 8032.
    assert signed.key == fingerprint(TRUSTED) == "21fe31dfa154a261"


def test_one_trusted_key_of_several_is_enough() -> None:
    others = [Ed25519PrivateKey.generate().public_key() for _ in range(2)]

    assert verify(FILES, sign(FILES, KEY, "x", AT), [others[0], TRUSTED, others[1]]).key == fingerprint(TRUSTED)


def test_signature_is_that_of_rfc_8032_over_the_statement() -> None:
    """What the file says can be checked by other means: a line, then canonical JSON."""
    made = sign({"a.yaml": b""}, KEY, "x", AT)
    digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    octets = (
        b'sanctuaire policies 1\n{"at":"2026-09-15T08:30:00.123000Z","by":"x","files":{"a.yaml":"'
        + digest.encode()
        + b'"}}'
    )

    TRUSTED.verify(base64.b64decode(made.signature), octets)
    assert made.files == {"a.yaml": digest}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param({**FILES, "gar.yaml": b"b: 3\n"}, "gar.yaml", id="one is altered"),
        pytest.param({**FILES, "new.yaml": b""}, "new.yaml", id="one more"),
        pytest.param({"gar.yaml": FILES["gar.yaml"]}, "perimeter.yaml", id="one fewer"),
        pytest.param({"gar.yaml": FILES["perimeter.yaml"], "perimeter.yaml": FILES["gar.yaml"]},
                     "gar.yaml, perimeter.yaml", id="changed about"),
    ],
)  # fmt: skip
def test_other_files_than_those_that_were_signed_are_refused_by_name(files: dict[str, bytes], said: str) -> None:
    with pytest.raises(NotSigned) as refused:
        verify(files, sign(FILES, KEY, "x", AT), [TRUSTED])

    assert f"these files are not as they were signed: {said};" in str(refused.value)


def altered(**differences: object) -> SignatureFile:
    content = sign(FILES, KEY, "x", AT).model_dump(mode="json") | differences
    return SignatureFile.model_validate_json(json.dumps(content))


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        pytest.param(altered(by="y"), "none of the trusted keys", id="another name"),
        pytest.param(altered(at="2026-09-16T08:30:00.123000Z"), "none of the trusted keys", id="another time"),
        pytest.param(altered(signature=base64.b64encode(bytes(64)).decode()), "none of the trusted keys", id="zeros"),
        pytest.param(altered(signature=""), "none of the trusted keys", id="nothing"),
        pytest.param(altered(signature="?"), "no signature in base64", id="not base64"),
        pytest.param(sign(FILES, Ed25519PrivateKey.generate(), "x", AT), "none of the trusted keys", id="another key"),
    ],
)
def test_what_is_not_signed_by_a_trusted_key_is_refused(signature: SignatureFile, said: str) -> None:
    with pytest.raises(NotSigned) as refused:
        verify(FILES, signature, [TRUSTED])

    assert said in str(refused.value)


def test_nobody_trusted_means_nothing_signed() -> None:
    with pytest.raises(NotSigned):
        verify(FILES, sign(FILES, KEY, "x", AT), [])


def test_signature_survives_its_file(tmp_path: Path) -> None:
    write_signature(tmp_path / "policies.sig", sign(FILES, KEY, "A. Operator", AT))

    assert verify(FILES, read_signature(tmp_path / "policies.sig"), [TRUSTED]).at == AT


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "policies.sig: the set is not signed", id="no file"),
        pytest.param(b"", "policies.sig: cannot be read as a signature", id="empty"),
        pytest.param(b'{"by":"CANARY"}', "policies.sig: cannot be read as a signature", id="not whole"),
    ],
)
def test_what_is_no_signature_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "policies.sig").write_bytes(content)

    with pytest.raises(NotSigned) as refused:
        read_signature(tmp_path / "policies.sig")

    assert str(refused.value) == f"{said}; have it signed with `sanctuaire policy sign`"


def test_made_key_is_private_and_its_trusted_file_names_it(tmp_path: Path) -> None:
    files = generate(tmp_path / "keys")

    assert stat.S_IMODE(files.private.stat().st_mode) == 0o600
    assert fingerprint(read_signing_key(files.private).public_key()) == fingerprint(*read_trusted(files.trusted))


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    generate(tmp_path)
    before = (tmp_path / "policies.key").read_bytes()

    with pytest.raises(WrongSettings):
        generate(tmp_path)
    assert (tmp_path / "policies.key").read_bytes() == before


def test_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    files = generate(tmp_path)
    files.private.chmod(0o640)

    with pytest.raises(WeakKey):
        read_signing_key(files.private)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"-----BEGIN PUBLIC KEY-----\nCANARY\n-----END PUBLIC KEY-----\n", id="no key"),
    ],
)
def test_what_is_no_key_is_refused_without_being_quoted(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keys").write_bytes(content)
    (tmp_path / "keys").chmod(0o600)

    with pytest.raises(WrongSettings) as public:
        read_trusted(tmp_path / "keys")
    with pytest.raises(WeakKey) as private:
        read_signing_key(tmp_path / "keys")
    assert "CANARY" not in f"{public.value} {private.value}"


def test_trusted_file_may_hold_several_keys_and_comments(tmp_path: Path) -> None:
    one, two = generate(tmp_path / "1"), generate(tmp_path / "2")
    text = b"# the first\n" + one.trusted.read_bytes() + b"# the second\n" + two.trusted.read_bytes()
    (tmp_path / "both.pub").write_bytes(text)

    assert [fingerprint(key) for key in read_trusted(tmp_path / "both.pub")] == [
        fingerprint(*read_trusted(one.trusted)), fingerprint(*read_trusted(two.trusted)),
    ]  # fmt: skip


def test_trusted_file_that_is_not_there_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NoKey) as refused:
        read_trusted(tmp_path / "policies.pub")

    assert "sanctuaire policy keygen" in str(refused.value)


def test_key_of_openssl_signs_as_well(tmp_path: Path) -> None:
    key, public = tmp_path / "o.key", tmp_path / "o.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    key.chmod(0o600)

    assert verify(FILES, sign(FILES, read_signing_key(key), "x", AT), read_trusted(public)).by == "x"


def test_folder_is_signed_by_command_and_one_altered_octet_is_found(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "keygen", "--directory", str(tmp_path / "keys")]) == 0
    key, trusted = str(tmp_path / "keys" / "policies.key"), str(tmp_path / "keys" / "policies.pub")
    assert main(["policy", "sign", str(folder), "--key", key, "--by", "A. Operator", "--json"]) == 0
    (folder / "gar.yaml").write_bytes((folder / "gar.yaml").read_bytes() + b"\n")
    capsys.readouterr()

    code = main(["policy", "apply", str(folder), "--trusted", trusted, "--bootstrap", "localhost:1"])
    said = capsys.readouterr().err

    assert code == 65
    assert said == (
        "sanctuaire: policies.sig: these files are not as they were signed: gar.yaml; "
        "have it signed with `sanctuaire policy sign`\n"
    )


def test_set_with_an_error_is_not_signed(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generate(tmp_path / "keys")
    (folder / "gar.yaml").write_text("provider: gar\n", "utf-8")

    code = main(["policy", "sign", str(folder), "--key", str(tmp_path / "keys" / "policies.key")])

    assert (code, capsys.readouterr().out) == (65, "")
    assert not (folder / "policies.sig").exists()
