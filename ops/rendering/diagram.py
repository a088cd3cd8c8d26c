"""The flow as a mermaid diagram, from the table of topics: services with round ends, topics as queues."""

from collections.abc import Iterator

from services.contract.audit import AuditEntry
from services.contract.topology import TOPICS, Topic

_OUTSIDE = ("operators", "the provider")


def flow_diagram() -> str:
    """What flows between services and to providers; a stage's own state, the audit and quarantines are not drawn."""
    topics = [topic for topic in TOPICS if _is_drawn(topic)]
    services = dict.fromkeys(name for topic in topics for name in (topic.writer, *topic.readers))
    lines = [
        "flowchart LR",
        *(f"  {_id(name)}{_box(name)}" for name in services),
        *(f'  {_id(topic.name)}[("{_text(topic.name)}")]' for topic in topics),
        *(edge for topic in topics for edge in _edges(topic)),
        "  platforms[/platforms/] --> ingress",
    ]
    return "\n".join(["```mermaid", *lines, "```"])


def _is_drawn(topic: Topic) -> bool:
    return topic.readers != (topic.writer,) and AuditEntry not in topic.payloads


def _edges(topic: Topic) -> Iterator[str]:
    # Policies stand beside the flow, not in it: a dotted line keeps the eye on the flow.
    arrow = "-.->" if topic.writer in _OUTSIDE else "-->"
    yield f"  {_id(topic.writer)} {arrow} {_id(topic.name)}"
    yield from (f"  {_id(topic.name)} {arrow} {_id(reader)}" for reader in topic.readers if reader != topic.writer)


def _box(name: str) -> str:
    return f"[/{name}/]" if name in _OUTSIDE else f"([{name}])"


def _id(name: str) -> str:
    return name.replace(".", "_").replace("<", "").replace(">", "").replace(" ", "_")


def _text(name: str) -> str:
    """Angle brackets would be taken as HTML by mermaid."""
    return name.replace("<", "&lt;").replace(">", "&gt;")
