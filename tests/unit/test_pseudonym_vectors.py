"""Every primitive against what others published, through the very functions that names pass through."""

import subprocess
import uuid

import pytest

from services.contract.identifiers import canonical_value
from services.pseudonymisation.notation import base32, uuid8
from services.pseudonymisation.pseudonym import (
    KeyedHash,
    Pseudonymiser,
    derive_provider_key,
    hkdf_sha256,
    pae,
)

ROOT = bytes(range(32))

# Written out by hand from pseudonyms.md, for openssl: LE64 counts and lengths, then the octets.
INFO_PROV_A = (
    "0600000000000000"
    "0f00000000000000" + b"ppg/pairwise/v1".hex() + "0200000000000000" + b"FR".hex() + "0e00000000000000"
    + b"prov-a.example".hex() + "1200000000000000" + b"pedagogical-access".hex()
    + "0400000000000000" "00000001"
    "0400000000000000" "00000000"
)  # fmt: skip
MESSAGE = (
    "0500000000000000"
    "0f00000000000000" + b"ppg/pairwise/v1".hex() + "0600000000000000" + b"person".hex() + "0600000000000000"
    + b"fr-idf".hex() + "0300000000000000" + b"INE".hex() + "0b00000000000000" + b"1234567890A".hex()
)  # fmt: skip

RFC_4231 = [
    pytest.param(
        b"\x0b" * 20,
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        id="case-1",
    ),
    pytest.param(
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        id="case-2-key-shorter-than-output",
    ),
    pytest.param(
        b"\xaa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        id="case-3-message-and-key-over-a-block",
    ),
    pytest.param(
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        id="case-4",
    ),
    pytest.param(
        b"\x0c" * 20,
        b"Test With Truncation",
        "a3b6167473100ee06e0c796c2955552b",
        id="case-5-truncated-to-128-bits",
    ),
    pytest.param(
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        id="case-6-key-over-a-block",
    ),
    pytest.param(
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        id="case-7-key-and-data-over-a-block",
    ),
]

RFC_5869 = [
    pytest.param(
        b"\x0b" * 22,
        bytes(range(0x0D)),
        bytes(range(0xF0, 0xFA)),
        42,
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        id="A.1",
    ),
    pytest.param(
        bytes(range(0x50)),
        bytes(range(0x60, 0xB0)),
        bytes(range(0xB0, 0x100)),
        82,
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
        id="A.2",
    ),
    pytest.param(
        b"\x0b" * 22,
        b"",
        b"",
        42,
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        id="A.3-neither-salt-nor-info",
    ),
]


def openssl(*arguments: str, message: bytes = b"") -> str:
    """Its answer as lower-case hexadecimal; a machine without openssl fails here, on purpose."""
    done = subprocess.run(["openssl", *arguments], input=message, capture_output=True, check=True)
    return done.stdout.decode().strip().replace(":", "").lower()


@pytest.mark.parametrize(("key", "message", "expected"), RFC_4231)
def test_hmac_gives_what_rfc_4231_publishes(key: bytes, message: bytes, expected: str) -> None:
    actual = KeyedHash.under(key).digest(message)

    assert actual.hex()[: len(expected)] == expected


def test_keyed_hash_remembers_nothing_of_the_message_before() -> None:
    keyed = KeyedHash.under(b"Jefe")
    keyed.digest(b"another message")

    actual = keyed.digest(b"what do ya want for nothing?")

    assert actual.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


@pytest.mark.parametrize(("ikm", "salt", "info", "length", "expected"), RFC_5869)
def test_hkdf_gives_what_rfc_5869_publishes(ikm: bytes, salt: bytes, info: bytes, length: int, expected: str) -> None:
    actual = hkdf_sha256(ikm, salt, info, length)

    assert actual.hex() == expected


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        pytest.param(b"", "", id="empty"),
        pytest.param(b"f", "my", id="f"),
        pytest.param(b"fo", "mzxq", id="fo"),
        pytest.param(b"foo", "mzxw6", id="foo"),
        pytest.param(b"foob", "mzxw6yq", id="foob"),
        pytest.param(b"fooba", "mzxw6ytb", id="fooba"),
        pytest.param(b"foobar", "mzxw6ytboi", id="foobar"),
    ],
)
def test_base32_gives_what_rfc_4648_section_10_publishes_lower_case_and_unpadded(octets: bytes, expected: str) -> None:
    assert base32(octets) == expected


def test_base32_refuses_more_than_a_pseudonym_holds() -> None:
    with pytest.raises(ValueError, match="20 octets at most"):
        base32(bytes(21))


def test_uuid_has_the_bits_of_rfc_9562_appendix_b_2() -> None:
    digest = bytes.fromhex("5c146b143c524afd938a375d0df1fbf6fe12a66b645f72f6158759387e51f3c8")

    written = uuid8(digest)

    assert written == "5c146b14-3c52-8afd-938a-375d0df1fbf6"
    assert uuid.UUID(written).version == 8
    assert uuid.UUID(written).variant == uuid.RFC_4122


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        pytest.param(b"\x00" * 16, "00000000-0000-8000-8000-000000000000", id="all-clear"),
        pytest.param(b"\xff" * 16, "ffffffff-ffff-8fff-bfff-ffffffffffff", id="all-set"),
    ],
)
def test_uuid_stamps_six_bits_and_no_other(octets: bytes, expected: str) -> None:
    assert uuid8(octets) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param([], "0000000000000000", id="no-part"),
        pytest.param([b""], "01000000000000000000000000000000", id="one-empty-part"),
        pytest.param([b"test"], "0100000000000000040000000000000074657374", id="one-part"),
    ],
)
def test_pae_gives_what_paseto_publishes(parts: list[bytes], expected: str) -> None:
    assert pae(parts).hex() == expected


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        pytest.param("prov-a.example", "gbhsd4ne3yi56r6dhee7ckmto3od2a6h", id="provider-a"),
        pytest.param("prov-b.example", "gls5zdqctiwgknqkqxgkooe3ce5wku2d", id="provider-b"),
    ],
)
def test_whole_chain_gives_the_pseudonym_of_the_design(provider: str, expected: str) -> None:
    names = Pseudonymiser.under(derive_provider_key(ROOT, "FR", provider, "pedagogical-access", 1, 0))

    actual = names.pseudonym("person", "fr-idf", "INE", "1234567890A")

    assert actual == expected


def test_whole_chain_gives_the_uuid_of_the_design() -> None:
    names = Pseudonymiser.under(derive_provider_key(ROOT, "FR", "prov-a.example", "pedagogical-access", 1, 0))

    actual = names.uuid("person", "fr-idf", "INE", "1234567890A")

    assert actual == "304f21f1-a4de-81df-87c3-3909f1299376"


def test_openssl_derives_the_same_provider_key() -> None:
    options = {"digest": "SHA256", "hexkey": ROOT.hex(), "hexsalt": b"ppg/root/v1".hex(), "hexinfo": INFO_PROV_A}
    arguments = [part for name, value in options.items() for part in ("-kdfopt", f"{name}:{value}")]

    expected = openssl("kdf", "-keylen", "32", *arguments, "HKDF")

    actual = derive_provider_key(ROOT, "FR", "prov-a.example", "pedagogical-access", 1, 0)
    assert actual.hex() == expected


def test_openssl_computes_the_same_pseudonym_from_the_same_key() -> None:
    key = derive_provider_key(ROOT, "FR", "prov-a.example", "pedagogical-access", 1, 0)

    mac = openssl(
        *("mac", "-digest", "SHA256", "-macopt", f"hexkey:{key.hex()}", "HMAC"), message=bytes.fromhex(MESSAGE)
    )

    names = Pseudonymiser.under(key)
    assert names.pseudonym("person", "fr-idf", "INE", "1234567890A") == base32(bytes.fromhex(mac)[:20])
    assert names.uuid("person", "fr-idf", "INE", "1234567890A").replace("-", "")[:12] == mac[:12]


@pytest.mark.parametrize(
    ("source", "composed"),
    [
        pytest.param("\u0044\u0307", "\u1e0a", id="D-with-dot-above"),
        pytest.param("\u0044\u0323\u0307", "\u1e0c\u0307", id="D-with-dots-below-and-above"),
        pytest.param("\u0044\u0307\u0323", "\u1e0c\u0307", id="the-same-dots-in-another-order"),
        pytest.param("\u212b", "\u00c5", id="angstrom-sign"),
        pytest.param("\u0041\u030a", "\u00c5", id="A-with-ring"),
        pytest.param("\u212a", "\u004b", id="kelvin-sign"),
        pytest.param("\u0344", "\u0308\u0301", id="singleton-that-does-not-recompose"),
        pytest.param("\u0958", "\u0915\u093c", id="composition-exclusion"),
        pytest.param("\ufb1d", "\u05d9\u05b4", id="hebrew-composition-exclusion"),
        pytest.param("\u1100\u1161", "\uac00", id="hangul-two-jamo"),
        pytest.param("\u1111\u1171\u11b6", "\ud4db", id="hangul-three-jamo"),
        pytest.param("\U0002f800", "\u4e3d", id="cjk-compatibility"),
        pytest.param("\u0061\u0315\u0300\u05ae\u0062", "\u00e0\u05ae\u0315\u0062", id="canonical-order-of-marks"),
        pytest.param("\ufb01", "\ufb01", id="ligature-is-not-canonical"),
    ],
)
def test_local_identifiers_are_composed_as_unicode_normalization_test_says(source: str, composed: str) -> None:
    assert canonical_value("local", source) == composed
