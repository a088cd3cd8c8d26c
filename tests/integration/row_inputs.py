"""A row of the decision table as what really flows (a policy, consents, a person's change), or why it cannot flow.

Every row has a provider, a school and a person of its own, so that all of them fit into one installation.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from pydantic import ValidationError

from ops.rendering.deciding import DecisionRequest
from services.contract.attributes import ATTRIBUTE_CATEGORY
from services.contract.topology import CHANGES, CONSENTS, LINKS, POLICIES
from tests.integration.pipeline_stages import Message
from tests.spec.table import LAW, Row, base

SOURCE = "aaf-d99"
ALL_KINDS = ["pupil", "guardian", "teacher", "staff"]
ITS_OWN = {"family_name", "school", "birth_date", "birth_year", "email_relay"}
"""Fields that every image yields here; where the row does not offer one, its contract does not name it either."""
NAMED = {"street": "address_lines", "meal": "regime"}
"""What the rows call in plain words an attribute that no platform calls so."""
VALUES: dict[str, Any] = {
    "given_name": "Maïa", "level": "5EME", "groups": [{"school": "0999001W", "code": "5LATIN"}],
    "address_lines": ["1 rue de l'Exemple"], "regime": "1", "ine": "not assigned yet",
}  # fmt: skip
"""The INE is none in form: one INE for all would make them one person (decisions/0018)."""

FORM = "no policy, change or consent of this form passes its schema"
MOMENT = "no clock gives this moment"
PURPOSES = "a contract on the stream has its own purpose and no other"
NO_PAIR = "without a contract that was delivered under there is no pair"
AT_ONCE = "what the directory deletes and what a policy ends do not come at one instant"
TO_COME = "a day of leaving counts once it has come"
UNKNOWN_GROUND = "of a contract that is gone, nobody knows on which ground it rested: article 18 keeps"
DIRECTORY = "a row has one directory, and who may oppose besides is named by another"
FIELD = "no image yields this field, in this category, or twice"


def why_not(request: dict[str, Any]) -> str | None:
    """Why a request cannot be told by records; null where it can."""
    try:
        DecisionRequest.model_validate_json(json.dumps(request))
    except ValidationError:
        return FORM
    return next((reason for reason, applies in OBSTACLES if applies(request)), None)


def _of_other_purposes(request: dict[str, Any]) -> bool:
    contract = request["provider"]["contract"]
    return contract is not None and contract["purposes"] != [request["purpose"]]


def _kept_without_contract(request: dict[str, Any]) -> bool:
    restrictions, ground = request["subject"]["restrictions"] or (), request["legal_basis"]["article"]
    return request["provider"]["contract"] is None and "article-18" in restrictions and ground == "6(1)(a)"


def _lists_nothing(request: dict[str, Any]) -> bool:
    contract, purpose = request["provider"]["contract"], request["purpose"]
    return contract is not None and not (purpose in contract["fields"] and purpose in contract["required"])


OBSTACLES: Sequence[tuple[str, Callable[[dict[str, Any]], object]]] = (
    # In a policy, null is no list; in a request, it is a list of none.
    (FORM, lambda request: request["perimeter"].get("providers", ()) is None),
    (MOMENT, lambda request: not 1971 < datetime.fromisoformat(request["now"]).year < 2971),
    (NO_PAIR, lambda request: not (request["provider"]["contract"] or request["subject"]["delivered"])),
    (AT_ONCE, lambda request: request["subject"]["deleted"] and request["legal_basis"]["act"] is None),
    (TO_COME, lambda request: (request["subject"]["gone_since"] or "") > request["now"][:10]),
    (UNKNOWN_GROUND, _kept_without_contract),
    (PURPOSES, _of_other_purposes),
    (FORM, _lists_nothing),
    (DIRECTORY, lambda request: request["subject"].get("opposing")),
    (FIELD, lambda request: not _is_yielded(request["fields"])),
)
"""Why a well-formed request cannot be told, and where that applies; the first that does is said."""


def _is_yielded(fields: list[dict[str, str]]) -> bool:
    categories = {**ATTRIBUTE_CATEGORY, "email_relay": "contact"}
    offered = [(NAMED.get(each["name"], each["name"]), each["category"]) for each in fields]
    return len(set(offered)) == len(offered) and all(categories.get(name) == category for name, category in offered)


@dataclass(frozen=True, slots=True)
class Case:
    """One row on the stream."""

    row: Row
    number: int

    @property
    def provider(self) -> str:
        return f"row-{self.number}"

    @property
    def pair(self) -> str:
        return f"{self.provider}/C1"

    @property
    def key(self) -> str:
        return f"{SOURCE}:{self.number}"

    @property
    def school(self) -> str:
        return f"{self.number:07d}A"

    @property
    def delivered(self) -> bool:
        return bool(self.row.request["subject"]["delivered"])

    @property
    def deleted(self) -> bool:
        return bool(self.row.request["subject"]["deleted"])

    @property
    def leaves(self) -> bool:
        """Whether the directory's last word is that the person is deleted or gone."""
        return self.deleted or self.row.request["subject"]["gone_since"] is not None

    def departure(self) -> Message:
        """That word."""
        return self.deletion() if self.deleted else self.image(version=2)

    @property
    def moment_us(self) -> int:
        """When it is decided, microseconds since the epoch."""
        now = datetime.fromisoformat(self.row.request["now"])
        return (now - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)

    def policy(self, version: int) -> Message:
        """The row's."""
        request = self.row.request
        provider, agreed = request["provider"], request["provider"]["contract"]
        contracts = []
        if agreed is not None:
            offered = {each["name"] for each in request["fields"] or ()}
            kept = [name for name in agreed["fields"][request["purpose"]] if name not in ITS_OWN - offered]
            contracts.append({
                "id": "C1", "from": agreed["from"], "until": agreed["until"], "purpose": request["purpose"],
                "legal_basis": self._basis(), "notice": request["notice"], "kinds": ALL_KINDS,
                "fields": [NAMED.get(name, name) for name in kept],
                "required": [NAMED.get(name, name) for name in agreed["required"][request["purpose"]]],
                "schools": [self.school], "release_window_seconds": 0,
            })  # fmt: skip
        perimeter = dict(request["perimeter"])
        perimeter["allowed_fields"] = [NAMED.get(name, name) for name in perimeter["allowed_fields"]]
        if perimeter.get("providers"):
            perimeter["providers"] = [self._called(name) for name in perimeter["providers"]]
        return self._policy(version, {
            "role": provider["role"], "perimeter": perimeter, "controller": request["controller"],
            "places": provider["places"] or [], "contracts": contracts,
        })  # fmt: skip

    def open_policy(self) -> Message:
        """The same provider and contract, under which anybody is released, by another field than the row's."""
        example = base("public task")
        basis = example["legal_basis"] | {"article": "6(1)(c)"}
        basis["act"] |= {"from": "2000-01-01", "kinds": ALL_KINDS}
        contract = {
            "id": "C1", "from": "2000-01-01", "until": None, "purpose": self.row.request["purpose"],
            "legal_basis": basis, "notice": "n1", "kinds": ALL_KINDS, "fields": ["family_name"], "required": [],
            "schools": [self.school], "release_window_seconds": 0,
        }  # fmt: skip
        return self._policy(1, {
            "role": "processor", "perimeter": example["perimeter"], "controller": example["controller"],
            "places": example["provider"]["places"], "contracts": [contract],
        })  # fmt: skip

    def _policy(self, version: int, content: dict[str, Any]) -> Message:
        whole = {"provider": self.provider, "name": self.provider, "connector": "topic", "version": version,
                 "register": LAW.model_dump(mode="json", by_alias=True)}  # fmt: skip
        return POLICIES, self.provider.encode(), orjson.dumps(whole | content)

    def _basis(self) -> dict[str, Any]:
        basis = dict(self.row.request["legal_basis"])
        basis["signatory"] = self._party(basis["signatory"])
        return basis

    def _called(self, provider: str) -> str:
        return self.provider if provider == self.row.request["provider"]["id"] else provider

    @staticmethod
    def _party(party: str | None) -> str | None:
        named = party is not None and party.startswith("guardian:") and party != "guardian:"
        return f"guardian:{SOURCE}:{party.removeprefix('guardian:')}" if party and named else party

    def words(self) -> list[Message]:
        """Every consent and objection in the row, in its order."""
        request = self.row.request
        consents = [
            each | {"party": self._party(each["party"]), "provider": self._called(each["provider"])}
            for each in request["consents"] or ()
        ]
        objections = [
            {"grounds": None, **each, "party": "child", "objection": f"O-{number}", "purpose": request["purpose"],
             "provider": self.provider}
            for number, each in enumerate(request["objections"] or ())
        ]  # fmt: skip
        return [self._said(word) for word in (*consents, *objections)]

    def restrictions(self) -> list[Message]:
        """Every restriction in the row that the image does not say."""
        named = [name for name in self.row.request["subject"]["restrictions"] or () if name != "no-diffusion"]
        return [
            self._said({"restriction": name, "reference": "R-1", "status": "standing", "at": "2026-01-01T00:00:00Z",
                        "until": None})
            for name in named
        ]  # fmt: skip

    def _said(self, word: dict[str, Any]) -> Message:
        return CONSENTS, self.key.encode(), orjson.dumps(word | {"subject": self.key})

    def links(self) -> list[Message]:
        """A pupil who lets a guardian be known; none for anybody else."""
        link = {"guardian": self.key, "pupil": "p-1", "provider": self.provider, "contract": "C1", "on": True, "seq": 1}
        is_guardian = self.row.request["subject"]["kind"] == "guardian"
        return [(LINKS, self.key.encode(), orjson.dumps(link))] if is_guardian else []

    def image(self, version: int = 1, *, gone: bool = True) -> Message:
        """The person, and exactly the fields that the row offers, beside the ones that every image yields."""
        subject = self.row.request["subject"]
        links = [{"id": name, "legal": "1"} for name in subject["guardians"] or ()]
        offered = {NAMED.get(each["name"], each["name"]) for each in self.row.request["fields"]}
        attributes = {
            "family_name": "Exemple", "school": self.school, "birth_date": subject["birth_date"], "guardians": links,
            "diffusion": "no-diffusion" not in (subject["restrictions"] or ()),
            "emancipated": subject["emancipated"], "gone_since": subject["gone_since"] if gone else None,
            **{name: value for name, value in VALUES.items() if name in offered},
        }  # fmt: skip
        return self._change("upsert", f"20260101.0.{version:09d}", attributes)

    def deletion(self) -> Message:
        return self._change("delete", "20260102.1.000000001", {})

    def _change(self, kind: str, version: str, attributes: dict[str, Any]) -> Message:
        change = {
            "kind": kind, "entity": "person", "category": self.row.request["subject"]["kind"], "source": SOURCE,
            "id": str(self.number), "version": version, "attributes": attributes,
        }  # fmt: skip
        return CHANGES, self.key.encode(), orjson.dumps(change)
