"""`python -m ops.benchmarks.pseudonymisation_steps`: what each step of the pseudonymiser costs a release, in µs.

Releases of an invented school's pupils for the example policies, as the filter would write them; no broker and no
store. The last rows are `handle` as a whole, once everybody is new and once everybody is known, and what of it is
reading and writing JSON.
"""

import gc
from collections.abc import Sequence
from functools import partial

import orjson
from rich.console import Console
from rich.table import Table

from ops.benchmarks.one_provider import KEYS, NOW, POLICIES, PUPILS, ROUNDS, handling, pupils, releases
from ops.benchmarks.processor import each
from ops.policy_files import read_policies
from services.contract.envelope import binary_of, body, kind
from services.contract.policies import ProviderPolicy, day_in_paris
from services.pseudonymisation.emission import MAX_EMISSION_BYTES, manner_of, read_strictly, recognise
from services.pseudonymisation.fields import Renaming
from services.pseudonymisation.pseudonym import Pseudonymiser
from services.pseudonymisation.terms import Terms
from services.runtime.records import FetchedRecord

OPERATION = kind("pseudonymisation", "operation")


def steps(rows: Sequence[FetchedRecord], policy: ProviderPolicy) -> dict[str, float]:
    """The pure steps, one by one; what little the loop itself costs is in each."""
    values = [row.value or b"" for row in rows]
    strict = [read_strictly(value) for value in values]
    names = Pseudonymiser.under(KEYS.keys_of(policy.provider, strict[0]["purpose_family"], 0).current)
    renaming = Renaming(strict[0]["source"], "FR", names.name)
    terms = Terms(strict[0], names, renaming)
    known = {manner_of(strict[0]): terms}
    pseudonyms = [terms.pseudonym(release) for release in strict]
    event_ids = [names.event(name, release["seq"]) for name, release in zip(pseudonyms, strict, strict=True)]
    fields = [renaming.renamed(release["fields"], None) for release in strict]
    whole = [orjson.loads(terms.upsert(r, name, None)[1]) for r, name in zip(strict, pseudonyms, strict=True)]
    day = day_in_paris(NOW)
    timed = partial(each, len(rows), rounds=ROUNDS)
    return {
        "read strictly (for comparison)": timed(lambda n: read_strictly(values[n])),
        "headers and size": timed(lambda n: body(values[n], rows[n].headers, MAX_EMISSION_BYTES)),
        "read, recognised": timed(lambda n: recognise(values[n], rows[n].key, known)),
        "pseudonym": timed(lambda n: terms.pseudonym(strict[n])),
        "policy": timed(lambda n: terms.ruling(policy, "FR", day).refusal(strict[n]["fields"])),
        "event id": timed(lambda n: names.event(pseudonyms[n], strict[n]["seq"])),
        "school and groups": timed(lambda n: renaming.renamed(strict[n]["fields"], None)),
        "operation bytes": timed(lambda n: orjson.dumps(whole[n] | {"fields": fields[n]})),
        "headers out": timed(lambda n: binary_of(OPERATION, event_ids[n])),
    }


def main() -> None:
    policies, people = read_policies(POLICIES), pupils(PUPILS)
    columns: dict[str, dict[str, float]] = {}
    for name, policy in policies.items():
        rows = releases(policy, people)
        # A full collection walks through what this benchmark has made, which no stage holds.
        gc.collect()
        gc.freeze()
        columns[name] = steps(rows, policy)
        handled = handling(rows, policies)
        columns[name] |= {
            "handle, all new": handled.new,
            "handle, all known": handled.known,
            "its JSON": handled.coding,
        }
    table = Table("µs a release", *columns)
    for step in columns["gar"]:
        table.add_row(step, *(f"{column[step]:.2f}" for column in columns.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
