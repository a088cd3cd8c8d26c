"""What the console counts for Prometheus, once a look: per provider and stage, never anybody."""

from typing import Final

from prometheus_client import Gauge

from services.console.overview import Overview
from services.console.standing import LEVELS
from services.runtime.metrics import REGISTRY

_PROVIDER: Final = ("provider",)
_STAGE: Final = ("stage",)

LEVEL = Gauge("sanctuaire_provider_level", "0 well, 1 warning, 2 stalled, as on the console's page.", _PROVIDER,
              registry=REGISTRY)  # fmt: skip
LAG = Gauge("sanctuaire_provider_lag_records", "Operations that no account of its connector speaks of.", _PROVIDER,
            registry=REGISTRY)  # fmt: skip
BEHIND = Gauge("sanctuaire_provider_lag_seconds", "How long the oldest of these has waited.", _PROVIDER,
               registry=REGISTRY)  # fmt: skip
WAITING = Gauge("sanctuaire_withdrawals_waiting", "Withdrawals that the provider has not acknowledged.", _PROVIDER,
                registry=REGISTRY)  # fmt: skip
OLDEST = Gauge("sanctuaire_withdrawal_oldest_seconds", "Age of the oldest of these; 0 where none waits.", _PROVIDER,
               registry=REGISTRY)  # fmt: skip
STAGE_LEVEL = Gauge("sanctuaire_stage_level", "0 well, 1 warning, 2 stalled, as on the console's page.", _STAGE,
                    registry=REGISTRY)  # fmt: skip
STAGE_BEHIND = Gauge("sanctuaire_stage_lag_seconds", "How long the oldest input of the stage has waited.", _STAGE,
                     registry=REGISTRY)  # fmt: skip
BEAT = Gauge("sanctuaire_heartbeat_age_seconds", "Of the last heartbeat in the partition: what was applied up to then.",
             ("stage", "partition"), registry=REGISTRY)  # fmt: skip
UNREAD = Gauge("sanctuaire_console_unread_accounts", "Accounts that the console could not read.", registry=REGISTRY)

_BY_PROVIDER: Final = (LEVEL, LAG, BEHIND, WAITING, OLDEST)
_shown: set[str] = set()


def show(overview: Overview) -> None:
    """Set all of them; a provider that is gone is shown no more."""
    for row in overview.rows:
        LEVEL.labels(row.provider).set(LEVELS.index(row.level))
        LAG.labels(row.provider).set(row.records)
        BEHIND.labels(row.provider).set(row.seconds)
        WAITING.labels(row.provider).set(row.waiting)
        OLDEST.labels(row.provider).set(row.oldest_seconds or 0)
    now = {row.provider for row in overview.rows}
    for gone in _shown - now:
        for gauge in _BY_PROVIDER:
            gauge.remove(gone)
    _shown.clear()
    _shown.update(now)
    for stage in overview.stages:
        STAGE_LEVEL.labels(stage.stage).set(LEVELS.index(stage.level))
        STAGE_BEHIND.labels(stage.stage).set(stage.seconds)
        for partition, seconds in stage.beats:
            BEAT.labels(stage.stage, partition).set(seconds)
    UNREAD.set(overview.refused)
