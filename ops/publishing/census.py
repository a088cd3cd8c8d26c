"""Censuses to `policies.v1`: all tables of one count in one transaction, with the record of who had them made."""

from collections.abc import Sequence
from datetime import UTC, datetime

from ops.census_tables import Tables
from ops.publishing.cluster import Addresses
from ops.publishing.policies import Message, commit, fenced, previous, recorded
from ops.publishing.standing import Standing, read_acts, read_standing
from services.contract.acts import PolicyAct
from services.contract.census import Census, GroupCensus, census_key
from services.contract.censuses import MAX_CENSUS_BYTES
from services.contract.errors import NotThisSet, TooLarge
from services.contract.topology import POLICIES


def publish_census(addresses: Addresses, tables: Tables, counted: Standing, by: str) -> None:
    """Put tables in force that were counted under `counted`.

    Raises:
        NotThisSet: since then, other policies or another census were put in force.
        TooLarge: a table is larger than what the filter takes.
        Unreachable: nothing was written.
    """
    messages = [_message(table) for table in tables]
    with fenced(addresses) as producer:
        standing = read_standing(addresses)
        if (standing.change_set, standing.census.token()) != (counted.change_set, counted.census.token()):
            raise NotThisSet("policies or census changed while it was counted; run the same command again")
        act = PolicyAct(
            act="counted", at=datetime.now(UTC), by=by, change_set=standing.change_set, signed=None, policies={},
            contracts=pairs_of(tables), previous=previous(read_acts(addresses)),
        )  # fmt: skip
        commit(producer, [*messages, recorded(act)])


def pairs_of(tables: Sequence[Census | GroupCensus]) -> tuple[str, ...]:
    """`<provider>/<contract>` of all that the tables tell of."""
    told = [(table, table.cells if isinstance(table, Census) else table.groups) for table in tables]
    return tuple(sorted({f"{table.provider}/{contract}" for table, contracts in told for contract in contracts}))


def _message(table: Census | GroupCensus) -> Message:
    area, schema = (None, "census") if isinstance(table, Census) else (table.area, "group-census")
    value = table.model_dump_json().encode()
    if len(value) > MAX_CENSUS_BYTES:
        raise TooLarge(f"{table.provider}: the census is over {MAX_CENSUS_BYTES} bytes")
    return POLICIES, census_key(table.provider, area), value, schema
