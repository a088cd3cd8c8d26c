"""The tables of topics and of payloads, in Markdown, from the contract. Reads nothing else."""

from collections.abc import Sequence

from ops.rendering.nouns import NOUNS
from services.contract.topology import SUBJECT_PARTITIONS, Topic, expand

PARTITIONS = {"subject": SUBJECT_PARTITIONS, "one": 1}


def topics_table() -> str:
    """One row a topic, quarantines included, in the order of the flow."""
    return table(
        ("Topic", "Payload", "Key", "Writer", "Readers", "Partitions", "Kept"),
        [
            (
                f"`{topic.name}`",
                ", ".join(payload.__name__ for payload in topic.payloads) or "the stage's own",
                topic.key.replace("<", "&lt;"),
                topic.writer,
                ", ".join(topic.readers),
                str(PARTITIONS[topic.partitions]),
                _kept(topic),
            )
            for topic in expand(("<provider>",))
        ],
    )


def payloads_table() -> str:
    """One row a payload: its schema and its examples."""
    return table(
        ("Payload", "Schema", "Examples"),
        [
            (
                noun.title,
                f"[`{noun.file}`]({noun.file})",
                f"[`examples/{noun.slug}/{noun.version}/`](examples/{noun.slug}/{noun.version}/)",
            )
            for noun in NOUNS
        ],
    )


def _kept(topic: Topic) -> str:
    if topic.cleanup == "delete":
        return f"{topic.retention_days} days"
    return f"last word per key, tombstones {topic.tombstone_days} days"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
