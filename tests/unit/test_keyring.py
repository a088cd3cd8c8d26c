"""The keyring: which epochs may stand beside each other, what opens, what does not, and what never shows."""

import copy
import hashlib
import json
import pickle
import traceback
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, astuple, replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contract.errors import NoKey, Unusable, WeakKey
from services.pseudonymisation.keyring import (
    Epoch,
    EpochState,
    Generation,
    Keyring,
    ProviderKeys,
    first_keyring,
)
from services.pseudonymisation.pseudonym import Pseudonymiser
from services.pseudonymisation.sealing import open_keyring, seal_keyring
from services.pseudonymisation.secret import Secret, refuse_weak_key

KEK = bytes.fromhex("c4a90f6e5d1b7832e6f0439ab8175cd21e8f63a4097bd5e2f1386c04ba9d7e51")
ROOT = bytes.fromhex("6f1d0a9be2473c58f0c6b19d2ea874053b7ef8c142d96a1590ad3cf27be65481")
OTHER_ROOT = bytes.fromhex("0b9d7e35c1f84a6290e3d75b1ca82f464e70d9b3f8152ca7617f04e98bd3c25a")
THIRD_ROOT = bytes.fromhex("93f2c8a15e7b0d46b1694fe83ad7025cc50e9817f36b2ad4087de14c59b6a3f0")
NONCE = bytes.fromhex("a1b2c3d4e5f60718293a4b5c")
VECTOR_ROOT = bytes(range(32))

PENDING, ACTIVE, DUAL = EpochState.PENDING, EpochState.ACTIVE, EpochState.DUAL
RETIRED, DESTROYED = EpochState.RETIRED, EpochState.DESTROYED


def epochs(*states: EpochState) -> tuple[Epoch, ...]:
    roots = [ROOT, OTHER_ROOT, THIRD_ROOT, bytes(range(1, 33)), bytes(range(2, 34))]
    return tuple(
        Epoch(number, state, None if state is DESTROYED else Secret(roots[number - 1]))
        for number, state in enumerate(states, start=1)
    )


def sealed_document(contents: object) -> bytes:
    """Any document, sealed as version 1 is: what an operator with the key could have written."""
    header = b"sanctuaire-keyring\x00\x01" + NONCE
    return header + AESGCM(KEK).encrypt(NONCE, json.dumps(contents).encode(), header)


def forms_of(secret: bytes) -> tuple[str, ...]:
    return (secret.hex(), secret.hex().upper(), repr(secret), repr(secret)[2:-1], str(list(secret)))


@pytest.mark.parametrize(
    "states",
    [
        pytest.param((ACTIVE,), id="first"),
        pytest.param((ACTIVE, PENDING), id="next-one-prepared"),
        pytest.param((DUAL, ACTIVE), id="rotating"),
        pytest.param((RETIRED, ACTIVE), id="rotated"),
        pytest.param((DESTROYED, RETIRED, DUAL, ACTIVE, PENDING), id="a-whole-life"),
    ],
)
def test_keyring_opens_as_it_was_sealed(states: tuple[EpochState, ...]) -> None:
    rekeyed = (
        Generation("prov-a.example", 0, RETIRED, 0), Generation("prov-a.example", 1, DUAL, 3),
        Generation("prov-a.example", 2, ACTIVE, 7), Generation("prov-é.example", 1, ACTIVE, 0),
    )  # fmt: skip
    keyring = Keyring("FR", epochs(*states), rekeyed, serial=7)

    opened = open_keyring(seal_keyring(keyring, KEK, NONCE), KEK)

    assert opened == keyring
    assert opened.active_epoch.state is ACTIVE


def test_sealed_form_is_what_the_module_describes() -> None:
    sealed = seal_keyring(first_keyring("FR", ROOT), KEK, NONCE)

    header, ciphertext = sealed[:32], sealed[32:]
    assert header == b"sanctuaire-keyring\x00\x02" + NONCE
    assert json.loads(AESGCM(KEK).decrypt(NONCE, ciphertext, header)) == {
        "perimeter": "FR",
        "serial": 0,
        "epochs": [{"number": 1, "state": "active", "since": 0, "root": ROOT.hex()}],
        "generations": [],
    }


def test_what_version_1_sealed_is_still_read() -> None:
    opened = open_keyring(
        sealed_document(
            {
                "perimeter": "FR",
                "epochs": [{"number": 1, "state": "active", "root": ROOT.hex()}],
                "generations": {"prov-a.example": 2},
            }
        ),
        KEK,
    )

    assert opened == Keyring("FR", epochs(ACTIVE), (Generation("prov-a.example", 2, ACTIVE, 0),))


@pytest.mark.parametrize(
    "states",
    [
        pytest.param((), id="none"),
        pytest.param((PENDING,), id="only-pending"),
        pytest.param((RETIRED, DESTROYED), id="only-past"),
        pytest.param((ACTIVE, ACTIVE), id="two-active"),
        pytest.param((DUAL, DUAL, ACTIVE), id="two-dual"),
        pytest.param((ACTIVE, DUAL), id="dual-newer-than-active"),
        pytest.param((PENDING, ACTIVE), id="pending-older-than-active"),
        pytest.param((ACTIVE, PENDING, PENDING), id="two-pending"),
    ],
)
def test_keyring_without_exactly_one_active_epoch_in_its_place_is_refused(
    states: tuple[EpochState, ...],
) -> None:
    with pytest.raises(NoKey, match=r"^keyring: "):
        Keyring("FR", epochs(*states))


def test_epochs_are_numbered_upwards_once_each() -> None:
    first, second = epochs(RETIRED, ACTIVE)

    for disordered in ((second, first), (replace(first, number=2), second), (replace(second, number=0),)):
        with pytest.raises(NoKey, match="numbered upwards"):
            Keyring("FR", disordered)


def test_two_epochs_may_not_share_a_root() -> None:
    first, second = epochs(DUAL, ACTIVE)

    with pytest.raises(NoKey, match="share a root"):
        Keyring("FR", (first, replace(second, root=first.root)))


@pytest.mark.parametrize(
    ("state", "root"),
    [
        pytest.param(ACTIVE, None, id="active-without"),
        pytest.param(RETIRED, None, id="retired-without"),
        pytest.param(DESTROYED, Secret(ROOT), id="destroyed-with"),
        pytest.param(ACTIVE, Secret(ROOT[:31]), id="cut-short"),
    ],
)
def test_epoch_has_a_whole_root_until_it_is_destroyed(state: EpochState, root: Secret | None) -> None:
    with pytest.raises(NoKey, match="root"):
        Epoch(1, state, root)


def test_perimeter_without_name_is_refused() -> None:
    with pytest.raises(NoKey, match="perimeter"):
        first_keyring("", ROOT)


@pytest.mark.parametrize(
    "generations",
    [
        pytest.param(((1, ACTIVE, 0), (2, ACTIVE, 1)), id="two-active"),
        pytest.param(((1, DUAL, 0),), id="none-active"),
        pytest.param(((1, ACTIVE, 0), (2, DUAL, 1)), id="an-older-one-active"),
        pytest.param(((1, DUAL, 0), (3, ACTIVE, 1)), id="a-gap"),
        pytest.param(((1, DUAL, 2), (2, ACTIVE, 1)), id="younger-than-the-next"),
        pytest.param(((1, DUAL, 0), (2, ACTIVE, 3)), id="beyond-the-serial"),
    ],
)
def test_generations_of_a_provider_that_do_not_follow_each_other_are_refused(
    generations: tuple[tuple[int, EpochState, int], ...],
) -> None:
    with pytest.raises(NoKey, match=r"generations? of a provider"):
        Keyring("FR", epochs(ACTIVE), tuple(Generation("prov-a.example", *each) for each in generations), serial=2)


def test_key_of_the_active_epoch_names_as_the_design_says() -> None:
    keyring = first_keyring("FR", VECTOR_ROOT)

    names = Pseudonymiser.under(keyring.keys_of("prov-a.example", "pedagogical-access", 0).current)

    assert names.pseudonym("person", "fr-idf", "INE", "1234567890A") == "gbhsd4ne3yi56r6dhee7ckmto3od2a6h"


def test_generation_rekeys_one_provider_and_no_other() -> None:
    before = Keyring("FR", epochs(ACTIVE))
    after = Keyring("FR", epochs(ACTIVE), (Generation("prov-a.example", 1, ACTIVE, 0),))

    def key(keyring: Keyring, provider: str) -> bytes:
        return keyring.keys_of(provider, "pedagogical-access", 0).current

    assert key(before, "prov-a.example") != key(after, "prov-a.example")
    assert key(before, "prov-b.example") == key(after, "prov-b.example")


def rotated(*states: EpochState) -> Keyring:
    """Epochs that began with the serials 0, 1, 2 and so on."""
    return Keyring(
        "FR",
        tuple(replace(epoch, since=number) for number, epoch in enumerate(epochs(*states))),
        serial=sum(state is not PENDING for state in states) - 1,
    )


def test_a_serial_names_with_the_epoch_of_its_time_for_as_long_as_anybody_may_be_known_by_it() -> None:
    keyring = rotated(DESTROYED, RETIRED, DUAL, ACTIVE, PENDING)
    alone = Keyring("FR", epochs(ACTIVE, PENDING))

    now, before = keyring.keys_of("p", "q", 3), keyring.keys_of("p", "q", 2)

    assert now == keyring.keys_of("p", "q")
    assert now.former == (before.current,)
    assert before.former == ()
    assert alone.keys_of("p", "q").former == ()
    for serial in (0, 1):
        with pytest.raises(NoKey, match=f"epoch {serial + 1} does not name anyone"):
            keyring.keys_of("p", "q", serial)


@pytest.mark.parametrize("serial", [4, -1], ids=["later", "before the first"])
def test_keyring_that_has_not_come_as_far_as_a_serial_gives_no_key(serial: int) -> None:
    with pytest.raises(NoKey, match="not come as far"):
        rotated(DESTROYED, RETIRED, DUAL, ACTIVE).keys_of("p", "q", serial)


def test_provider_that_is_rekeyed_while_everybody_rotates_may_be_known_by_both_names_of_before() -> None:
    rotating = rotated(DUAL, ACTIVE)
    keyring = replace(rotating, generations=(Generation("p", 0, DUAL, 0), Generation("p", 1, ACTIVE, 2)), serial=2)

    keys = keyring.keys_of("p", "q", 2)

    assert keys.former == (rotating.keys_of("p", "q", 0).current, rotating.keys_of("p", "q", 1).current)
    assert keyring.keys_of("other", "q", 2) == rotating.keys_of("other", "q", 1)
    assert (keyring.serial_of("p"), keyring.serial_of("other")) == (2, 1)


def test_no_form_of_a_providers_keys_shows_them() -> None:
    keys = ProviderKeys(ROOT, (OTHER_ROOT,))

    assert repr(keys) == "ProviderKeys(…, 1 former)"


WEAK_KEYS = [
    pytest.param(b"", "0 octets", id="empty"),
    pytest.param(KEK[:31], "31 octets", id="short"),
    pytest.param(KEK[:16], "16 octets", id="aes-128"),
    pytest.param(KEK + KEK, "64 octets", id="long"),
    pytest.param(bytes(32), "too few distinct octets", id="zeros"),
    pytest.param(b"\xff" * 32, "too few distinct octets", id="all-equal"),
    pytest.param(KEK[:16] * 2, "too few distinct octets", id="sixteen-octets-twice"),
    pytest.param(bytes([0x80, 0xFE] * 16), "too few distinct octets", id="two-octets-alternating"),
    pytest.param(bytes(range(32)), "a sequence", id="counting-up"),
    pytest.param(bytes(range(0xFF, 0xDF, -1)), "a sequence", id="counting-down"),
    pytest.param(bytes(number * 7 % 256 for number in range(32)), "a sequence", id="counting-by-sevens"),
    pytest.param(b"correct horse battery staple !?1", "text", id="passphrase-of-32"),
    pytest.param("mot de passe très peu secrèt 32".encode()[:32], "text", id="french-passphrase"),
    pytest.param(KEK.hex().encode(), "text", id="hexadecimal"),
    pytest.param(KEK.hex()[:32].encode(), "text", id="hexadecimal-of-half"),
    pytest.param(b"xKkPbl0beDLm8EOauBdc0h6PY6QJe9Xi8ThsBLqdflE=\n", "text", id="base64-line"),
]


@pytest.mark.parametrize(("kek", "why"), WEAK_KEYS)
def test_weak_key_encryption_key_neither_seals_nor_opens_and_the_remedy_is_named(kek: bytes, why: str) -> None:
    sealed = seal_keyring(first_keyring("FR", ROOT), KEK, NONCE)

    with pytest.raises(WeakKey, match=why) as opening:
        open_keyring(sealed, kek)
    with pytest.raises(WeakKey, match=why):
        seal_keyring(first_keyring("FR", ROOT), kek, NONCE)

    assert "`sanctuaire keys init`" in str(opening.value)


def test_octets_without_a_pattern_are_never_taken_for_a_weak_key() -> None:
    for number in range(5_000):
        refuse_weak_key(hashlib.sha256(number.to_bytes(4, "big")).digest())

    with pytest.raises(WeakKey, match=r"^root: "):
        refuse_weak_key(bytes(32), "root")


@pytest.mark.parametrize("length", [0, 11, 13, 16])
def test_nonce_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(NoKey, match="nonce of 12 octets"):
        seal_keyring(first_keyring("FR", ROOT), KEK, bytes(length))


def test_another_key_encryption_key_opens_nothing() -> None:
    sealed = seal_keyring(first_keyring("FR", ROOT), KEK, NONCE)

    with pytest.raises(NoKey, match="another key-encryption key, altered, or cut short"):
        open_keyring(sealed, OTHER_ROOT)


def test_no_single_altered_octet_goes_unnoticed() -> None:
    sealed = seal_keyring(first_keyring("FR", ROOT), KEK, NONCE)

    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 0x01
        with pytest.raises(NoKey, match=r"^keyring: "):
            open_keyring(bytes(altered), KEK)


def test_no_cut_or_lengthened_file_opens() -> None:
    sealed = seal_keyring(first_keyring("FR", ROOT), KEK, NONCE)

    for length in range(len(sealed)):
        with pytest.raises(NoKey, match=r"^keyring: "):
            open_keyring(sealed[:length], KEK)
    with pytest.raises(NoKey, match=r"^keyring: "):
        open_keyring(sealed + b"\0", KEK)


def test_later_format_is_refused_by_its_version() -> None:
    sealed = seal_keyring(first_keyring("FR", ROOT), KEK, NONCE)

    with pytest.raises(NoKey, match="format that this release does not read"):
        open_keyring(sealed.replace(b"keyring\x00\x02", b"keyring\x00\x03"), KEK)


@pytest.mark.parametrize(
    "contents",
    [
        pytest.param(None, id="null"),
        pytest.param([], id="list"),
        pytest.param({}, id="empty"),
        pytest.param({"perimeter": "FR", "epochs": []}, id="no-generations"),
        pytest.param({"perimeter": "FR", "epochs": [1], "generations": {}}, id="epoch-is-a-number"),
        pytest.param(
            {
                "perimeter": "FR",
                "epochs": [{"number": 1, "state": "lost", "root": ROOT.hex()}],
                "generations": {},
            },
            id="unknown-state",
        ),
        pytest.param(
            {
                "perimeter": "FR",
                "epochs": [{"number": 1, "state": "active", "root": ROOT.hex() + "g"}],
                "generations": {},
            },
            id="root-is-not-hexadecimal",
        ),
        pytest.param(
            {
                "perimeter": "FR",
                "epochs": [{"number": 1, "state": "active", "root": ROOT.hex()}],
                "generations": {"p": "1"},
            },
            id="generation-is-text",
        ),
    ],
)
def test_document_of_another_shape_is_refused_without_a_trace_of_its_contents(contents: object) -> None:
    with pytest.raises(NoKey, match="what it holds is not a keyring") as refusal:
        open_keyring(sealed_document(contents), KEK)

    assert refusal.value.__context__ is None
    assert ROOT.hex() not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize(
    "show",
    [
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param("{}".format, id="format"),
        pytest.param(lambda keyring: f"{keyring}{keyring!r}{keyring!s}{keyring!a}", id="f-string"),
        pytest.param(lambda keyring: f"{asdict(keyring)}", id="asdict"),
        pytest.param(lambda keyring: f"{astuple(keyring)}", id="astuple"),
        pytest.param(lambda keyring: f"{copy.deepcopy(keyring)}{copy.copy(keyring)}", id="copies"),
        pytest.param(lambda keyring: f"{keyring.active_epoch}{keyring.active_epoch.root}", id="epoch"),
        pytest.param(lambda keyring: json.dumps(asdict(keyring), default=str), id="json"),
        pytest.param(lambda keyring: "".join(traceback.format_exception(ValueError(keyring))), id="exception"),
        pytest.param(lambda keyring: "%s %r" % (keyring, keyring), id="percent"),  # noqa: UP031 — as logging does
    ],
)
def test_no_form_of_a_keyring_shows_a_root(show: Callable[[Keyring], str]) -> None:
    shown = show(first_keyring("FR", ROOT))

    assert "FR" in shown or "Secret" in shown
    assert [form for form in forms_of(ROOT) if form in shown] == []


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_keyring_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(first_keyring("FR", ROOT), protocol)


def test_keyring_and_secret_cannot_be_changed_or_hashed() -> None:
    keyring = first_keyring("FR", ROOT)

    with pytest.raises(FrozenInstanceError):
        keyring.perimeter = "BE"  # type: ignore[misc]  # what the type forbids must fail at run time too
    with pytest.raises(TypeError):
        hash(Secret(ROOT))


def test_no_refusal_to_open_shows_an_octet_of_key_or_file() -> None:
    sealed = seal_keyring(first_keyring("FR", ROOT), KEK, NONCE)
    attempts = [(sealed, OTHER_ROOT), (sealed[:-1], KEK), (b"?" + sealed, KEK), (sealed, KEK.hex().encode())]

    for octets, kek in attempts:
        with pytest.raises(Unusable) as refusal:
            open_keyring(octets, kek)
        message = str(refusal.value)
        assert [form for secret in (KEK, OTHER_ROOT, ROOT) for form in forms_of(secret) if form in message] == []
