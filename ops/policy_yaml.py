"""YAML that can be read in one way only: no key twice, no alias, no tag, and `no` is a word (or Norway), not false."""

import re
from typing import Any

import yaml

from services.contract.errors import NotThisFormat


class _Loader(yaml.SafeLoader):
    """YAML 1.2's JSON-like scalars; dates stay text, which the schema reads."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # as yaml declares it

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # yaml declares no types for it
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or _is_tagged(event):
            raise yaml.MarkedYAMLError(problem="an alias, an anchor or a tag", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # yaml's
        mapping = super().construct_mapping(node, deep)
        if len(mapping) != len(node.value):
            raise yaml.MarkedYAMLError(problem="a key twice", problem_mark=node.start_mark)
        return mapping


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))


def _is_tagged(event: yaml.Event) -> bool:
    return isinstance(event, yaml.CollectionStartEvent | yaml.ScalarEvent) and event.tag is not None


def parse_yaml(text: str) -> Any:
    """Parse one document.

    Raises:
        NotThisFormat: with the line, never with its content.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506  # it is a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        kind = error.problem if error.problem in {"a key twice", "an alias, an anchor or a tag"} else "not YAML"
        raise NotThisFormat(f"line {line}: {kind}") from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise NotThisFormat("not YAML") from None
