"""The AsyncAPI 3.0 document: every topic a channel, what each service sends and receives an operation.

Payloads are references to the schema files beside it, so that nothing is said twice.
"""

from typing import Any

import yaml

from ops.rendering.examples import examples_of
from ops.rendering.nouns import noun_of
from ops.rendering.tables import PARTITIONS
from services.contract.errors import Payload
from services.contract.topology import Topic, expand

DAY_MS = 86_400_000
_STATE = "State"
_TOMBSTONE = "Tombstone"

_INFO = {
    "title": "Sanctuaire",
    "version": "1.0.0",
    "description": "What the services of the provisioning border publish and read on Kafka, and what a provider may"
    " read. Rendered from services/contract by `python -m ops.rendering`; do not edit.",
    "license": {"name": "EUPL-1.2", "url": "https://eupl.eu/1.2/en/"},
}
_SERVER = {
    "host": "{bootstrap}",
    "protocol": "kafka",
    "description": "The cluster inside the perimeter.",
    "variables": {"bootstrap": {"default": "localhost:9092", "description": "`KAFKA_BOOTSTRAP` of the services."}},
}
_HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0, Kafka protocol binding, binary mode; structured mode is read just as well.",
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "minLength": 1},
        "ce_source": {"type": "string", "minLength": 1},
        "ce_type": {"type": "string", "pattern": r"^sanctuaire\.[a-z-]+\.v[0-9]+$"},
        "content-type": {"type": "string", "examples": ["application/json"]},
    },
}
_UNSCHEMED = {
    _TOMBSTONE: {"payload": {"type": "null"}, "summary": "The last word on this key is that there is none."},
    _STATE: {"payload": {}, "summary": "A stage's own state: only that stage knows its form."},
}


def asyncapi() -> str:
    """The whole document as YAML."""
    topics = expand(("<provider>",))
    document = {
        "asyncapi": "3.0.0",
        "id": "urn:sanctuaire:asyncapi:1",
        "info": _INFO,
        "defaultContentType": "application/json",
        "servers": {"perimeter": _SERVER},
        "channels": {_id(topic.name): _channel(topic) for topic in topics},
        "operations": dict(operation for topic in topics for operation in _operations(topic)),
        "components": {"messages": _messages(topics), "schemas": {"CloudEvent": _HEADERS}},
    }
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)


def _id(topic: str) -> str:
    return topic.replace("<", "").replace(">", "")


def _message_names(topic: Topic) -> list[str]:
    named = [payload.__name__ for payload in topic.payloads] or [_STATE]
    return [*named, *([_TOMBSTONE] if topic.cleanup == "compact" else [])]


def _channel(topic: Topic) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": topic.name.replace("<", "{").replace(">", "}"),
        "title": topic.name,
        "description": f"Key: {topic.key}. Written by {topic.writer}, read by {', '.join(topic.readers)}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _message_names(topic)},
        "bindings": {"kafka": _kafka(topic)},
    }
    if "<provider>" in topic.name:
        channel["parameters"] = {"provider": {"description": "Id of the provider, as in its policy."}}
    return channel


def _kafka(topic: Topic) -> dict[str, Any]:
    settings: dict[str, Any] = {"cleanup.policy": [topic.cleanup]}
    if topic.retention_days is not None:
        settings["retention.ms"] = topic.retention_days * DAY_MS
    if topic.tombstone_days is not None:
        settings["delete.retention.ms"] = topic.tombstone_days * DAY_MS
    return {
        "partitions": PARTITIONS[topic.partitions],
        "topicConfiguration": settings,
        "bindingVersion": "0.5.0",
    }


def _operations(topic: Topic) -> list[tuple[str, dict[str, Any]]]:
    sides = [("send", topic.writer), *(("receive", reader) for reader in topic.readers)]
    return [
        (
            f"{service.replace(' ', '-')}.{action}.{_id(topic.name)}",
            {
                "action": action,
                "channel": {"$ref": f"#/channels/{_id(topic.name)}"},
                "summary": f"What {service} {action}s.",
                "tags": [{"name": service}],
                "messages": [
                    {"$ref": f"#/channels/{_id(topic.name)}/messages/{name}"} for name in _message_names(topic)
                ],
            },
        )
        for action, service in sides
    ]


def _messages(topics: tuple[Topic, ...]) -> dict[str, Any]:
    payloads = {payload.__name__: payload for topic in topics for payload in topic.payloads}
    return {
        **{name: _message(payload) for name, payload in payloads.items()},
        **{name: {"name": name, **rest} for name, rest in _UNSCHEMED.items()},
    }


def _message(payload: type[Payload]) -> dict[str, Any]:
    noun = noun_of(payload)
    inside = "" if payload.__name__ == noun.title else f"#/$defs/{payload.__name__}"
    message: dict[str, Any] = {
        "name": payload.__name__,
        "title": payload.__name__,
        "summary": (payload.__doc__ or "").strip().splitlines()[0],
        "headers": {"$ref": "#/components/schemas/CloudEvent"},
        "payload": {"$ref": f"./{noun.file}{inside}"},
    }
    fitting = examples_of(noun, payload)
    if fitting:
        message["examples"] = [{"name": case, "payload": example} for case, example in fitting.items()]
    return message


class _Plain(yaml.SafeDumper):
    """Without anchors: a reader of the document should not have to look up a `*id001`."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # PyYAML's signature
        return True
