"""What the demonstration shows: the flow as it fills, the table per provider, one person side by side.

Builds what rich prints; opens nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from rich.table import Table
from rich.text import Text

from ops.demo.chain import Chain
from ops.demo.tally import Ends, Tally, ends_of, operations_of
from ops.demo.verifier import Judgement
from services.contract.changes import Change
from services.contract.operations import ProviderRecord
from services.contract.policies import ProviderPolicy
from services.contract.reasons import REASONS, STAGES, Meaning
from services.contract.topology import CHANGES, CONSENTS, RELEASES, WITHDRAWALS

NOTHING = "–"
_SHOWN = (
    *("family_name", "given_name", "birth_date", "ine", "school", "level", "divisions", "groups"),
    *("address_lines", "postcode", "town", "home_phone", "email", "regime", "scholarship"),
)
_WIDEST = 34
_MEANINGS: Mapping[str, Meaning] = {
    **{str(code): meaning for code, meaning in REASONS.items()},
    **{str(code): meaning for code, meaning in STAGES.items()},
}


def flow(tally: Tally) -> Table:
    """The flow from left to right, once; then a line a provider, as full as it is by now."""
    table = Table(title="what flows, as it happens", title_justify="left", expand=False)
    for heading in ("", "changes", "consents", "→ released", "withdrawn", "→ renamed", "→ has now"):
        table.add_column(heading, justify="right" if heading else "left")
    seen = tally.records
    renamed = tally.operations
    totals = (seen[CHANGES], seen[CONSENTS], seen[RELEASES], seen[WITHDRAWALS], renamed, "")
    table.add_row("all", *map(str, totals), end_section=True)
    for provider in tally.providers:
        upserts, deletes = (seen[topic] for topic in operations_of(provider))
        ends = ends_of(tally, provider)
        table.add_row(
            provider, "", "", str(ends.released), str(ends.erased), str(upserts + deletes), str(tally.known(provider))
        )
    return table


def ends_tables(ends: Mapping[str, Ends], policies: Mapping[str, ProviderPolicy]) -> tuple[Table, Table]:
    """How every input ended, provider by provider; and of what was withheld, why."""
    numbers = Table(title="per provider, how every input ended", title_justify="left")
    for heading in ("provider", "released", "unchanged", "withheld", "held", "erased", "has now"):
        numbers.add_column(heading, justify="left" if heading == "provider" else "right")
    reasons = Table(title="withheld, and why", title_justify="left")
    for heading in ("provider", "inputs", "why"):
        reasons.add_column(heading, justify="right" if heading == "inputs" else "left")
    for name, one in ends.items():
        withheld = sum(one.withheld.values())
        numbers.add_row(name, *map(str, (one.released, one.unchanged, withheld, one.held, one.erased, one.known)))
        for place, (code, count) in enumerate(one.withheld.items(), start=1):
            who = (name, policies[name].name)[place - 1] if place <= 2 else ""
            reasons.add_row(who, str(count), _sentence(code), end_section=place == len(one.withheld))
    return numbers, reasons


def _sentence(code: str) -> str:
    meaning = _MEANINGS.get(code)
    return meaning.sentence if meaning else code


def side_by_side(chain: Chain, subject: str, providers: Sequence[str]) -> Table:
    """One person as her school published her, and as each provider knows her."""
    published = _published(chain, subject)
    seen = {provider: _known(chain, subject, provider) for provider in providers}
    table = Table(title="one person, before and after", title_justify="left")
    table.add_column("")
    table.add_column("her school publishes")
    for provider in providers:
        table.add_column(f"{provider} has")
    names = [name for name in _SHOWN if published.get(name)]
    names += [name for one in seen.values() for name in one if name not in names]
    table.add_row("known as", subject, *(one.pop("known as", NOTHING) for one in seen.values()), end_section=True)
    for name in dict.fromkeys(name for name in names if name != "known as"):
        table.add_row(name, _brief(published.get(name)), *(_brief(one.get(name)) for one in seen.values()))
    return table


def _published(chain: Chain, subject: str) -> Mapping[str, Any]:
    """The last full image of her."""
    for row, change in reversed(list(chain.read.parsed(CHANGES, Change))):
        if row.key == subject.encode() and change.kind == "upsert":
            said: dict[str, Any] = orjson.loads(change.attributes.model_dump_json(exclude_unset=True))
            return said
    return {}


def _known(chain: Chain, subject: str, provider: str) -> dict[str, Any]:
    """What the provider has under the name that her operations bear; nothing where it never heard of her."""
    known = chain.known(provider)
    for (_, who), operation in chain.last.items():
        if who == subject and operation.provider == provider and operation.pseudonym in known:
            record = known[operation.pseudonym]
            return {"known as": operation.pseudonym, **(record.fields if isinstance(record, ProviderRecord) else {})}
    return {}


def _brief(value: Any) -> str:
    match value:
        case None | [] | "":
            return NOTHING
        case dict():
            return _cut(" ".join(str(part) for part in value.values()))
        case list():
            said = [_brief(part) for part in value if part]
            return ", ".join(said[:2]) + (" …" if len(said) > 2 else "")
        case _:
            return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def judgement(judged: Judgement, inputs: int, quarantined: int) -> Text:
    """The independent reader's last word."""
    if judged.is_good:
        return Text(
            f"reconciled: {inputs} inputs, each with one end for every contract, {quarantined} in quarantine; "
            f"canaries found: 0 (the same search finds {judged.canaries_inside} in what the schools published)",
            style="bold green",
        )
    found = [*judged.unreconciled, *judged.canaries]
    lines = [f"{finding.kind}: {finding.count} at {finding.where}" for finding in found]
    fault = "NOT reconciled" if judged.unreconciled else "canaries found" if judged.canaries else "the search is blind"
    return Text("\n".join([fault, *lines]), style="bold red")
