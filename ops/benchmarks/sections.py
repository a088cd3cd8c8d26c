"""Every section of the benchmark, in the order in which it runs; a section's module is loaded when it is run."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from ops.benchmarks.findings import Findings
from ops.benchmarks.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Section:
    """One thing that is measured: `measure(bench) -> Findings` in a module of its own."""

    module: str
    short: str

    def measure(self, bench: Workbench) -> Findings:
        found: Findings = import_module(self.module).measure(bench)
        return found


SECTIONS: Mapping[str, Section] = {
    "steps": Section("ops.benchmarks.steps", "what one record costs in each pure step; no Kafka"),
    "pseudonymisation": Section("ops.benchmarks.pseudonymisation", "the stage for three providers, beside its peers"),
    "filtering": Section(
        "ops.benchmarks.filtering", "the stage with state, joined with consents, beside Kafka Streams"
    ),
    "pipeline": Section("ops.benchmarks.pipeline", "changes to three providers: rate, and time at half of it"),
    "withdrawal": Section("ops.benchmarks.withdrawal", "from a withdrawn consent to the provider, behind a backlog"),
    "workers": Section("ops.benchmarks.workers", "one stage with one, two and four processes"),
    "memory": Section("ops.benchmarks.memory", "of a filter that remembers a million subjects"),
    "rebuild": Section("ops.benchmarks.rebuild", "of such a filter's store from its changelog"),
    "console": Section("ops.benchmarks.console", "the operators' page with 200 providers and 5,000 events a second"),
    "reading": Section("ops.benchmarks.reading", "of an AAF export of a gigabyte; no Kafka"),
}
"""The name is what `--only` takes, and the first part of every key in the file."""
