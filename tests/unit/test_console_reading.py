from services.console.reading import read_topics
from services.console.watching import watched_topics
from services.contract.audit import AuditEntry, QuarantinedRecord
from services.contract.topology import expand


def test_records_are_read_of_accounts_and_quarantines_alone_and_no_topic_is_both_read_and_watched() -> None:
    read, watched = set(read_topics(["gar"])), set(watched_topics(["gar"]))
    carried = {topic.name: topic.payloads for topic in expand(("gar",)) if topic.name in read}

    assert carried.keys() == read
    assert {payload for payloads in carried.values() for payload in payloads} == {AuditEntry, QuarantinedRecord}
    assert read & watched == set()
