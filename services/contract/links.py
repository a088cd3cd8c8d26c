"""What one pupil's releases mean for her guardians, who are remembered in partitions of their own (decisions/0014)."""

from typing import Annotated

from pydantic import StringConstraints

from services.contract.errors import Payload
from services.contract.policies import ContractId, Slug
from services.contract.releases import MAX_SUBJECT, Seq

MAX_LINK_BYTES = 4096

RoutingKey = Annotated[str, StringConstraints(min_length=1, max_length=MAX_SUBJECT)]


class Link(Payload):
    """Whether one pupil lets one of her guardians be known under one contract.

    The guardian may be known there, on her own legal basis, while at least one pupil's last word is `on`. Of the words
    of one pupil, guardian and contract the highest `seq` counts, whatever the order in which they come.
    """

    guardian: RoutingKey
    """The key of the record: it goes to the partition in which the guardian's own changes arrive."""
    pupil: RoutingKey
    provider: Slug
    contract: ContractId
    """Under which the guardian may be known; the pupil may be known to the provider under another one."""
    on: bool
    seq: Seq
    """From the same numbers as those of the releases of the pupil's partition."""
