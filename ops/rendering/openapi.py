"""The OpenAPI 3.1 document of ingress, from the application itself, which is built for it and never run.

Payloads are references to the schema files beside it, so that nothing is said twice.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.contract.errors import Unreachable
from services.ingress.api import Ports, create_api
from services.ingress.refusals import Problem


def openapi() -> str:
    """The whole document as JSON."""
    document = create_api(_UNCONNECTED).openapi()
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    document["components"]["schemas"] |= {**problem.pop("$defs"), "Problem": problem}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


async def _nowhere(_payloads: Sequence[Any]) -> None:
    raise Unreachable("this application is only described")


_UNCONNECTED = Ports(
    register=lambda: None,
    now=lambda: datetime.min.replace(tzinfo=UTC),
    addressed=lambda _decision: None,
    publish_decisions=_nowhere,
    publish_changes=_nowhere,
    count=lambda _payload, _platform, _ends: None,
    defect=lambda _error: None,
)
