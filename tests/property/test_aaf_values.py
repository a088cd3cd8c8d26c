import io
from contextlib import suppress
from datetime import date
from itertools import pairwise
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract.changes import Change, parse_change
from services.ingress.formats.aaf import NamedStream, Read, read_set, values
from services.ingress.formats.aaf.reads import BadRecord

# What XML 1.0 can hold and keeps as it is (a carriage return becomes a line feed).
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\t\n"), min_size=1, max_size=40)
PART = TEXT.filter(lambda text: "$" not in text)


@given(st.lists(PART, min_size=2, max_size=5))
def test_parts_that_were_joined_come_apart_again(parts: list[str]) -> None:
    assert values.parts("$".join(parts), 2, 5) == parts + [None] * (5 - len(parts))


@given(TEXT, st.integers(1, 6), st.integers(0, 6))
def test_a_value_is_split_without_loss_or_refused(text: str, least: int, more: int) -> None:
    found = text.split("$")
    if least <= len(found) <= least + more and all(found[:least]):
        parts = values.parts(text, least, least + more)

        assert len(parts) == least + more
        assert [part or "" for part in parts[: len(found)]] == found
    else:
        with pytest.raises(BadRecord, match="fields"):
            values.parts(text, least, least + more)


@given(st.dates())
def test_every_date_reads_back(day: date) -> None:
    assert values.birth_date([f"{day.day:02d}/{day.month:02d}/{day.year:04d}"]) == day


@given(st.text(max_size=12) | st.from_regex(r"[0-9]{2}/[0-9]{2}/[0-9]{4}", fullmatch=True))
def test_a_date_is_read_or_refused_and_never_guessed(text: str) -> None:
    with suppress(BadRecord):
        day = values.birth_date([text])

        assert day is not None
        assert text == f"{day.day:02d}/{day.month:02d}/{day.year:04d}"


@given(st.lists(TEXT, max_size=4))
def test_lines_keep_their_text_and_their_place(lines: list[str]) -> None:
    written = "$".join(lines)

    assert "$".join(values.lines([written] if written else [])) == written


def document(name: str) -> bytes:
    return (
        '<ficAlimMENESR><addRequest><operationalAttributes><attr name="categoriePersonne"><value>Eleve</value></attr>'
        f'</operationalAttributes><identifier><id>1</id></identifier><attributes><attr name="sn"><value>{escape(name)}'
        "</value></attr></attributes></addRequest></ficAlimMENESR>"
    ).encode()


def read(content: bytes) -> list[Read]:
    return list(read_set([NamedStream("P_Complet_20260915_Eleve_0000.xml", lambda: io.BytesIO(content))], None, {}))


@given(TEXT)
def test_any_text_passes_unchanged_through_xml_and_json(name: str) -> None:
    [change] = read(document(name))

    assert isinstance(change, Change)
    assert change.attributes.family_name == name
    assert parse_change(change.model_dump_json(exclude_unset=True).encode()) == change


@given(st.binary(max_size=300) | st.binary(max_size=40).map(lambda noise: document("FICTIF")[:150] + noise))
def test_no_bytes_make_the_reader_fail_otherwise_than_by_a_refusal(noise: bytes) -> None:
    reads = read(noise)

    assert all(type(one).__name__ in {"RefusedFile", "RefusedRecord", "Change", "SetAside"} for one in reads)


@given(st.integers(0, 400))
def test_a_file_cut_anywhere_is_refused(cut: int) -> None:
    whole = document("FICTIF")
    reads = read(whole[: min(cut, len(whole) - 1)])

    assert type(reads[-1]).__name__ == "RefusedFile"


@given(st.lists(st.tuples(st.integers(0, 10**8), st.booleans(), st.integers(1, 10**9 - 1)), min_size=2))
def test_versions_sort_as_text_as_they_sort_in_time(moments: list[tuple[int, bool, int]]) -> None:
    ordered = sorted({(day % 10**8, delta, number) for day, delta, number in moments})
    written = [f"{day:08d}.{int(delta)}.{number:09d}" for day, delta, number in ordered]

    assert all(earlier < later for earlier, later in pairwise(written))


@pytest.mark.parametrize("text", ["O", "N"])
def test_flags(text: str) -> None:
    assert values.flag([text]) is (text == "O")


@given(st.text(max_size=4).filter(lambda text: text not in {"O", "N"}))
def test_a_flag_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(BadRecord):
        values.flag([text])
