"""What one provider key names, what it refuses, and what it keeps apart."""

import copy
import pickle
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

import pytest

from services.contract.errors import NoKey, NotAnIdentifier, SanctuaireError, WrongSettings
from services.contract.operations import Pseudonym
from services.pseudonymisation.pseudonym import Pseudonymiser, derive_provider_key

if TYPE_CHECKING:
    from services.contract.identifiers import IdType
    from services.contract.naming import EntityClass

ROOT = bytes.fromhex("6f1d0a9be2473c58f0c6b19d2ea874053b7ef8c142d96a1590ad3cf27be65481")


def names_for(provider: str = "prov-a.example", epoch: int = 1, generation: int = 0) -> Pseudonymiser:
    return Pseudonymiser.under(derive_provider_key(ROOT, "FR", provider, "pedagogical-access", epoch, generation))


def test_one_person_has_another_name_at_each_provider() -> None:
    at_a = names_for("prov-a.example").pseudonym("person", "FR", "INE", "123456789AB")
    at_b = names_for("prov-b.example").pseudonym("person", "FR", "INE", "123456789AB")

    assert at_a != at_b


def test_spellings_of_one_identifier_have_one_name() -> None:
    names = names_for()

    written = {names.pseudonym("person", "FR", "INE", text) for text in ("123456789AB", " 123456789ab\u00a0")}

    assert len(written) == 1


def test_names_of_settings_are_composed_but_neither_stripped_nor_folded() -> None:
    composed = derive_provider_key(ROOT, "FR", "\u00e9diteur", "accès", 1, 0)

    assert derive_provider_key(ROOT, "FR", "e\u0301diteur", "acce\u0300s", 1, 0) == composed
    assert derive_provider_key(ROOT, "FR", "\u00c9diteur", "accès", 1, 0) != composed
    assert derive_provider_key(ROOT, "FR", " \u00e9diteur", "accès", 1, 0) != composed


def test_namespace_is_composed_but_neither_stripped_nor_folded() -> None:
    names = names_for()
    composed = names.pseudonym("person", "acad\u00e9mie", "local", "4711")

    assert names.pseudonym("person", "acade\u0301mie", "local", "4711") == composed
    assert names.pseudonym("person", "ACAD\u00c9MIE", "local", "4711") != composed
    assert names.pseudonym("person", "acad\u00e9mie ", "local", "4711") != composed


def test_relay_alias_shares_nothing_with_the_pseudonym() -> None:
    names = names_for()
    pseudonym = names.pseudonym("person", "FR", "INE", "123456789AB")

    local_part, domain = names.relay_alias("person", "FR", "INE", "123456789AB", "relay.example.test").split("@")

    assert domain == "relay.example.test"
    assert len(local_part) == 32
    assert set(local_part) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert local_part != pseudonym


@pytest.mark.parametrize("domain", ["", "Relay.test", "relay", "a@b.test", "relay.test\n", "-a.test", "a..test"])
def test_relay_domain_that_is_none_is_refused(domain: str) -> None:
    with pytest.raises(WrongSettings, match=r"^relay domain: "):
        names_for().relay_alias("person", "FR", "INE", "123456789AB", domain)


def test_event_id_is_repeated_for_the_same_operation_and_for_no_other() -> None:
    names, elsewhere = names_for(), names_for("prov-b.example")
    one, two = Pseudonym("a" * 32), Pseudonym("b" * 32)
    first = names.event_id(one, 1)

    others = {names.event_id(one, 2), names.event_id(two, 1), elsewhere.event_id(one, 1), one}

    assert names.event_id(one, 1) == first
    assert first not in others
    assert len(others) == 4


@pytest.mark.parametrize("text", ["", "a" * 31, "a" * 33, "é" * 32])
def test_event_id_is_made_of_nothing_but_a_pseudonym(text: str) -> None:
    with pytest.raises(WrongSettings, match=r"^pseudonym: "):
        names_for().event_id(Pseudonym(text), 1)


@pytest.mark.parametrize("seq", [-1, 2**64])
def test_event_id_refuses_a_seq_outside_its_octets(seq: int) -> None:
    with pytest.raises(WrongSettings, match=r"^seq: "):
        names_for().event_id(Pseudonym("a" * 32), seq)


@pytest.mark.parametrize(
    ("names", "numbers", "where"),
    [
        pytest.param(("", "p", "q"), (1, 0), "perimeter", id="no-perimeter"),
        pytest.param(("FR", "", "q"), (1, 0), "provider", id="no-provider"),
        pytest.param(("FR", "p", ""), (1, 0), "purpose family", id="no-purpose"),
        pytest.param(("FR", "p\udcff", "q"), (1, 0), "provider", id="lone-surrogate"),
        pytest.param(("FR", "p", "q"), (-1, 0), "epoch", id="negative-epoch"),
        pytest.param(("FR", "p", "q"), (2**32, 0), "epoch", id="epoch-over-four-octets"),
        pytest.param(("FR", "p", "q"), (1, 2**32), "generation", id="generation-over-four-octets"),
    ],
)
def test_no_key_is_derived_from_settings_that_are_missing(
    names: tuple[str, str, str], numbers: tuple[int, int], where: str
) -> None:
    with pytest.raises(WrongSettings, match=f"^{where}: "):
        derive_provider_key(ROOT, *names, *numbers)


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_root_or_provider_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(NoKey, match=r"^root: 32 octets"):
        derive_provider_key(bytes(length), "FR", "p", "q", 1, 0)
    with pytest.raises(NoKey, match=r"^provider key: 32 octets"):
        Pseudonymiser.under(bytes(length))


@pytest.mark.parametrize(
    ("entity_class", "namespace", "id_type"),
    [
        pytest.param("pupil", "FR", "INE", id="unknown-class"),
        pytest.param("person", "", "INE", id="no-namespace"),
        pytest.param("person", "FR", "ine", id="unknown-type"),
    ],
)
def test_what_the_design_does_not_name_has_no_pseudonym(entity_class: str, namespace: str, id_type: str) -> None:
    with pytest.raises(SanctuaireError):
        names_for().pseudonym(cast("EntityClass", entity_class), namespace, cast("IdType", id_type), "123456789AB")


@pytest.mark.parametrize("text", ["", "NULL", "0", "12345"])
def test_no_name_of_any_kind_is_made_from_what_is_no_identifier(text: str) -> None:
    names = names_for()

    with pytest.raises(NotAnIdentifier):
        names.pseudonym("person", "FR", "INE", text)
    with pytest.raises(NotAnIdentifier):
        names.uuid("person", "FR", "INE", text)
    with pytest.raises(NotAnIdentifier):
        names.relay_alias("person", "FR", "INE", text, "relay.example.test")


def test_pseudonymiser_cannot_be_printed_changed_copied_out_or_pickled() -> None:
    names = names_for()
    key = derive_provider_key(ROOT, "FR", "prov-a.example", "pedagogical-access", 1, 0)

    assert repr(key) not in f"{names!r}{names}"
    assert key.hex() not in f"{names!r}{names}"
    with pytest.raises(AttributeError):
        names._keyed = names._keyed  # type: ignore[misc]  # what the type forbids must fail at run time too
    for escape in (pickle.dumps, copy.deepcopy, asdict):
        with pytest.raises(TypeError):
            escape(names)
