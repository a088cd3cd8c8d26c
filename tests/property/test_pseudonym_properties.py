"""What holds of every pseudonym, whoever is named and for whomever."""

import base64
import os
import subprocess
import sys
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.contract.errors import NotAnIdentifier
from services.contract.identifiers import WHITE_SPACE, IdType, canonical_value
from services.contract.naming import EntityClass
from services.pseudonymisation.notation import base32
from services.pseudonymisation.pseudonym import Pseudonymiser, derive_provider_key, pae

ROOT = bytes.fromhex("6f1d0a9be2473c58f0c6b19d2ea874053b7ef8c142d96a1590ad3cf27be65481")
INE = st.from_regex(r"[0-9]{9}[A-Z]{2}|[0-9]{10}[A-Z]", fullmatch=True)
BLANKS = st.text(st.sampled_from(WHITE_SPACE), max_size=3)
LOCAL = st.text(max_size=40)

NAMES = Pseudonymiser.under(derive_provider_key(ROOT, "FR", "prov-a.example", "pedagogical-access", 1, 0))


def canonical_or_none(id_type: IdType, text: str) -> str | None:
    try:
        return canonical_value(id_type, text)
    except NotAnIdentifier:
        return None


@given(st.lists(st.binary(max_size=12), max_size=6), st.lists(st.binary(max_size=12), max_size=6))
def test_two_lists_of_parts_are_never_written_alike(one: list[bytes], other: list[bytes]) -> None:
    assert (pae(one) == pae(other)) == (one == other)


@given(st.binary(max_size=20))
def test_base32_writes_what_the_standard_library_writes(octets: bytes) -> None:
    assert base32(octets) == base64.b32encode(octets).decode().rstrip("=").lower()


@given(LOCAL, LOCAL)
def test_two_local_identifiers_share_a_name_only_where_they_are_one_identifier(one: str, other: str) -> None:
    first, second = canonical_or_none("local", one), canonical_or_none("local", other)
    assume(first is not None and second is not None)

    alike = NAMES.pseudonym("person", "s", "local", one) == NAMES.pseudonym("person", "s", "local", other)

    assert alike == (first == second)


@given(INE, INE)
def test_two_ines_never_share_a_name(one: str, other: str) -> None:
    alike = NAMES.pseudonym("person", "FR", "INE", one) == NAMES.pseudonym("person", "FR", "INE", other)

    assert alike == (one == other)


FEW_LETTERS = st.text("12", min_size=1, max_size=3)
PARTS = st.tuples(st.sampled_from(["person", "school", "group"]), FEW_LETTERS, st.just("local"), FEW_LETTERS)


@settings(max_examples=1000)
@given(PARTS, PARTS)
def test_two_names_are_one_only_where_class_namespace_type_and_value_are(
    one: tuple[EntityClass, str, IdType, str], other: tuple[EntityClass, str, IdType, str]
) -> None:
    """Of few letters, so that all are often alike, and often only one is not."""
    assert (NAMES.pseudonym(*one) == NAMES.pseudonym(*other)) == (one == other)


@given(LOCAL, st.sampled_from(["local", "INE", "UAI"]))
def test_canonical_spelling_of_a_canonical_spelling_is_itself(text: str, id_type: IdType) -> None:
    once = canonical_or_none(id_type, text)
    assume(once is not None)

    assert once is not None
    assert canonical_value(id_type, once) == once


@given(INE, BLANKS, BLANKS)
def test_blanks_around_and_case_within_do_not_change_the_name(ine: str, before: str, after: str) -> None:
    spelled = NAMES.pseudonym("person", "FR", "INE", f"{before}{ine.lower()}{after}")

    assert spelled == NAMES.pseudonym("person", "FR", "INE", ine)


@given(
    st.sampled_from(["", "null", "na", "0"]),
    st.lists(st.booleans(), min_size=4, max_size=4),
    BLANKS,
    BLANKS,
    st.sampled_from(["local", "INE", "UAI"]),
)
def test_placeholder_never_has_a_name(
    word: str, capitals: list[bool], before: str, after: str, id_type: IdType
) -> None:
    spelled = "".join(letter.upper() if capital else letter for letter, capital in zip(word, capitals, strict=False))

    with pytest.raises(NotAnIdentifier):
        NAMES.pseudonym("person", "FR", id_type, f"{before}{spelled}{after}")


def test_no_two_contexts_ever_agree_in_a_million_draws() -> None:
    providers = [f"prov-{number}" for number in range(5)] + ["1", "12", "123"]
    families = ["pedagogical-access", "evaluation", "23", "3"]
    keys = [
        derive_provider_key(ROOT, perimeter, provider, family, epoch, generation)
        for perimeter, provider, family, epoch, generation in product(
            ("FR", "FR1"), providers, families, (1, 2), (0, 1)
        )
    ]
    classes: tuple[EntityClass, ...] = ("person", "school", "group")
    types: tuple[IdType, ...] = ("INE", "local")
    labels = ("ppg/pairwise/v1", "ppg/relay/v1")
    values = [f"{number:010d}A" for number in range(82)]

    drawn: set[bytes] = set()
    count = 0
    for key in keys:
        pseudonymiser = Pseudonymiser.under(key)
        for entity_class, namespace, id_type, label in product(classes, ("FR", "ac-lyon", "F", "1"), types, labels):
            names = pseudonymiser.names(entity_class, namespace, id_type, label)
            drawn.update(map(names.written, values))
            count += len(values)

    assert len(set(keys)) == len(keys)
    assert count >= 1_000_000
    assert len(drawn) == count


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("FR", "1", "23"), ("FR", "12", "3"), id="provider-and-purpose"),
        pytest.param(("FR", "prov", "-a"), ("FR", "prov-", "a"), id="hyphen-moved"),
        pytest.param(("1", "23", "q"), ("12", "3", "q"), id="perimeter-and-provider"),
    ],
)
def test_a_character_that_moves_between_parts_of_a_key_changes_the_key(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert derive_provider_key(ROOT, *one, 1, 0) != derive_provider_key(ROOT, *other, 1, 0)


def test_a_character_that_moves_between_namespace_and_value_changes_the_name() -> None:
    one = NAMES.pseudonym("person", "1", "local", "23")
    other = NAMES.pseudonym("person", "12", "local", "3")

    assert one != other


@given(INE)
def test_pseudonym_alias_and_event_id_are_kept_apart(ine: str) -> None:
    pseudonym = NAMES.pseudonym("person", "FR", "INE", ine)
    alias = NAMES.relay_alias("person", "FR", "INE", ine, "relay.example.test").partition("@")[0]

    assert len({pseudonym, alias, NAMES.event_id(pseudonym, 1), NAMES.event_id(pseudonym, 2)}) == 4


NAME_ONE = """
from services.pseudonymisation.pseudonym import Pseudonymiser, derive_provider_key
key = derive_provider_key(bytes(range(32)), "FR", "prov-a.example", "pedagogical-access", 1, 0)
print(Pseudonymiser.under(key).pseudonym("person", "fr-idf", "INE", "1234567890A"))
"""


@pytest.mark.parametrize("seed", ["0", "1", "4294967295"])
def test_every_process_gives_the_same_name(seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    done = subprocess.run([sys.executable, "-c", NAME_ONE], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout == "gbhsd4ne3yi56r6dhee7ckmto3od2a6h\n"
