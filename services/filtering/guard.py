"""Which erasures wait for an operator: those that a change of policy or of law brings on everybody at once. Pure.

What one person is owed (a withdrawal, R1) never waits. Meanwhile nothing new is released, and the connectors obey the
cut-off as soon as they read it (rules.md; decisions/0013).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from services.contract.reasons import ReasonCode
from services.filtering.decision import Verdict

OF_THE_POLICY: Final[frozenset[ReasonCode]] = frozenset(
    {
        # R2
        "contract-not-begun", "purpose-not-in-contract", "provider-not-listed",
        # R3 to R5, R8, R10
        "no-act", "act-not-in-force", "controller-not-public", "controller-not-in-task", "provider-not-processor",
        "no-register-entry", "no-notice", "public-authority-in-task", "service-not-optional", "no-consent-age",
        # R18 to R20
        "place-not-adequate", "adequacy-not-in-force", "adequacy-out-of-scope", "no-dpf-entry", "dpf-not-in-force",
        "dpf-not-allowed", "no-instrument", "no-transfer-assessment", "article-46-not-allowed",
        "sovereignty-undeclared", "storage-abroad", "control-abroad", "control-unknown", "no-secnumcloud",
    }
)  # fmt: skip
"""What no rule finds of one person without finding it of everybody under the contract."""

OF_THE_PERSON: Final[frozenset[ReasonCode]] = frozenset(
    {
        "subject-deleted", "gone-too-long", "objection-upheld", "consent-withdrawn", "consent-refused",
        "guardian-opposes",
    }
)  # fmt: skip
"""What R1 and R13 find because she, a guardian or the directory said so."""


class Everything:
    """Approves whatever it is asked about: for a dry run."""

    def __contains__(self, _: object) -> bool:
        return True


SHORT_CUTS: Final[frozenset[ReasonCode]] = frozenset({"no-contract", "contract-over"})
"""R1 stops there, before it looks at what the person herself is owed."""


def falls_on_everybody(verdict: Verdict, *, ended_by_change: bool, covers_nobody: bool, staged: bool) -> bool:
    """Whether an erasure is one that waits, as far as its reasons show; after a short cut, the person is asked too.

    A contract that reaches its own last day ends as it was signed, and waits for nobody. `staged` is a policy that was
    put in force as one by which a provider loses more people than may go unasked: of it all waits but what a person is
    owed.
    """
    codes = {reason.code for reason in verdict.reasons}
    if codes & OF_THE_PERSON:
        return False
    if staged:
        return True
    if codes == {"contract-over"}:
        return ended_by_change
    return covers_nobody if codes == {"no-contract"} else codes <= OF_THE_POLICY


def said_no(consents: Iterable[Mapping[str, Any]], provider: str) -> bool:
    """Whether anybody's last word on this provider is no, whatever the purpose: where the contract is not there to ask.

    On a tie the no counts.
    """
    last: dict[str, tuple[datetime, bool]] = {}
    for record in consents:
        if record["provider"] == provider:
            word = (datetime.fromisoformat(record["at"]), record["status"] != "given")
            last[record["party"]] = max(word, last.get(record["party"], word))
    return any(no for _, no in last.values())
