from hypothesis import given
from hypothesis import strategies as st

from services.contract.changes import Change
from services.filtering.folding import fold, take
from services.filtering.subject import NOBODY, Subject, dump, load
from tests.property.histories import Fact, changes, histories


def told(facts: list[Fact]) -> Subject:
    subject = NOBODY
    for fact in facts:
        subject, _ = fold(subject, fact) if isinstance(fact, Change) else take(subject, fact)
    return subject


def sorted_consents(subject: Subject) -> list[str]:
    return sorted(map(str, subject.consents))


@given(st.data(), histories)
def test_any_order_ends_in_the_same_subject(data: st.DataObject, facts: list[Fact]) -> None:
    one, other = told(facts), told(data.draw(st.permutations(facts)))

    assert one.images == other.images
    assert sorted_consents(one) == sorted_consents(other)


@given(st.data(), histories)
def test_telling_again_alters_nothing(data: st.DataObject, facts: list[Fact]) -> None:
    subject = told(facts)
    again = told([*facts, *data.draw(st.lists(st.sampled_from(facts)))])

    assert again == subject


@given(st.data(), changes())
def test_nobody_comes_back_after_a_newer_delete(data: st.DataObject, facts: list[Change]) -> None:
    subject = told(data.draw(st.permutations(facts)))
    for source, image in subject.images.items():
        deletes = [fact.version for fact in facts if fact.source == source and fact.kind == "delete"]
        images = [fact.version for fact in facts if fact.source == source and fact.kind == "upsert"]

        assert image.whole == (max(images, default="") > max(deletes, default=""))


@given(histories)
def test_state_entry_gives_the_subject_back(facts: list[Fact]) -> None:
    subject = told(facts)

    assert load(dump(subject)) == subject
