"""Identifiers made up by the thousand, in every spelling, alone and within a text: none is missed, and it is quick."""

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from services.filtering.detector import SHORTEST, traces_in, traces_of

DIGITS, CAPITALS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def letters(alphabet: str, size: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=size, max_size=size)


WORDS = st.sampled_from(["", "Camille", "voir", "tél :", "né à Lille", "n°", "(", "élève", "6B", "INE", "—"])
INES = st.one_of(
    st.tuples(letters(DIGITS, 9), letters(CAPITALS, 2)), st.tuples(letters(DIGITS, 10), letters(CAPITALS, 1))
).map("".join)


@st.composite
def nirs(draw: st.DrawFn) -> str:
    """Thirteen characters and a key that is computed here by adding up: 97 less the remainder of the number by 97."""
    parts = [
        draw(st.sampled_from("12")),
        f"{draw(st.integers(0, 99)):02d}",
        f"{draw(st.one_of(st.integers(1, 12), st.integers(20, 99))):02d}",
        draw(st.one_of(st.integers(1, 95).map("{:02d}".format), st.sampled_from(["2A", "2B"]))),
        f"{draw(st.integers(1, 990)):03d}",
        f"{draw(st.integers(1, 999)):03d}",
    ]
    remainder = 0
    for digit in "".join(parts).replace("2A", "19").replace("2B", "18"):
        remainder = (remainder * 10 + int(digit)) % 97
    return draw(st.sampled_from(["", " ", ".", "-"])).join([*parts, f"{97 - remainder:02d}"])


@st.composite
def phones(draw: st.DrawFn) -> str:
    digits = draw(letters("123456789", 1)) + draw(letters(DIGITS, 8))
    gap = draw(st.sampled_from(["", " ", ".", "-", " . ", "\u00a0", "_", "\u202f"]))
    groups = draw(st.sampled_from([(1, 2, 2, 2, 2), (3, 3, 3), (9,), (1, 4, 4)]))
    written, place = [], 0
    for length in groups:
        written.append(digits[place : place + length])
        place += length
    prefix = draw(st.sampled_from(["0", "0", "+33" + gap, "0033" + gap, "+33 (0)", "+33" + gap + "0", "+262 "]))
    return prefix + gap.join(written)


@st.composite
def addresses(draw: st.DrawFn) -> str:
    number = draw(st.integers(1, 9999).map(str)) + draw(st.sampled_from(["", " bis", "ter", " B", ",", " quater,"]))
    street = draw(st.sampled_from(["rue", "RUE", "avenue", "Boulevard", "allée", "chemin", "Impasse", "quai", "place"]))
    name = draw(st.sampled_from(["des Songes", "de l'École", "Imaginaire", "du 8 Mai", "d'Œdipe", "ÉMILE ZOLA"]))
    town = draw(st.sampled_from(["", ", 75011 Paris", " 59000 LILLE", "\n97400 Saint-Denis"]))
    return f"{number} {street} {name}{town}"


MAILS = st.tuples(
    st.text("abcdefghijklmnopqrstuvwxyz0123456789._+-", min_size=1, max_size=20).filter(lambda s: s[-1] not in ".-_+"),
    st.sampled_from(["example.test", "mail.example.test", "ÉCOLE.example.test", "example-school.test"]),
).map("@".join)


@given(WORDS, INES, WORDS)
def test_every_ine_is_found(before: str, ine: str, after: str) -> None:
    assert "ine" in traces_in(f"{before} {ine} {after}")
    assert "ine" in traces_in(f"{before} {ine.lower()},{after}")


@given(WORDS, nirs(), WORDS)
def test_every_nir_is_found(before: str, nir: str, after: str) -> None:
    assert "nir" in traces_in(f"{before} {nir} {after}")


@given(nirs(), st.integers(1, 96))
def test_a_number_in_one_piece_with_another_key_is_no_nir(nir: str, more: int) -> None:
    plain = "".join(letter for letter in nir if letter.isalnum())
    other = plain[:13] + f"{(int(plain[13:]) + more - 1) % 97 + 1:02d}"

    assert "nir" not in traces_in(other)


@given(WORDS, phones(), WORDS)
def test_every_telephone_number_is_found(before: str, phone: str, after: str) -> None:
    assert "phone" in traces_in(f"{before} {phone} {after}")


@given(WORDS, MAILS, WORDS)
def test_every_e_mail_address_is_found(before: str, mail: str, after: str) -> None:
    assert "e-mail" in traces_in(f"{before} {mail} {after}")


@given(WORDS, addresses())
def test_every_postal_address_is_found(before: str, address: str) -> None:
    assert "address" in traces_in(f"{before} {address}")


@given(st.one_of(INES, nirs(), phones(), MAILS, addresses()))
def test_a_field_of_a_person_shows_what_is_in_it_wherever_it_is_put(told: str) -> None:
    values: dict[str, Any] = {
        "given_name": told, "other_given_names": ["Camille", told], "groups": [{"school": "0999001W", "code": told}],
    }  # fmt: skip

    assert traces_of(tuple(values), values).keys() == values.keys()


CLASSES = st.tuples(
    st.sampled_from(["6", "3", "2NDE", "1G", "TLE", "TSTMG", "CM"]),
    st.sampled_from(["", "EME", "A", " B", "-2", " ALL LV2", " ESP 1", "GP1", "_LATIN", "/4"]),
).map("".join)
NAMES = st.text(st.characters(categories=["L"], include_characters=" -'"), max_size=40)


@given(st.lists(st.one_of(CLASSES, NAMES, st.from_regex(r"\A[0-9]{7}[A-Z]\Z"), st.from_regex(r"\A[1-9][0-9]{10}\Z"))))
def test_names_classes_schools_and_programmes_hold_nothing(said: list[str]) -> None:
    assert traces_of(["subjects"], {"subjects": said}) == {}


@given(st.text(max_size=2000))
def test_any_text_has_an_answer(text: str) -> None:
    found = traces_in(text)

    assert not found or len(text) >= SHORTEST


@given(st.sampled_from("0 @.a+1-(r"), st.sampled_from("0 @.a+1-/r"), st.integers(1, 400))
def test_a_text_made_to_be_slow_is_answered_at_once(one: str, other: str, times: int) -> None:
    """The test's own time-out is the measure: no pattern goes back and forth over the whole."""
    assume(one != other)

    assert traces_in((one + other) * times + "rue 7") is not None
