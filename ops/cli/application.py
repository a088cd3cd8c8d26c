"""The list of commands, each with its line of help; a command's own module is imported only when it is run."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from ops.cli.exits import EPILOGUE


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is written, and what the list says of it."""

    module: str
    name: str
    short: str


COMMANDS: Mapping[str, Entry] = {
    "demo": Entry("ops.demo.command", "demo", "See it at work: a Kafka, a school, three providers, one withdrawal."),
    "up": Entry("ops.up", "up", "Run all services on this machine until Ctrl-C."),
    "convert": Entry("ops.cli.convert", "app", "Read an export and write its changes to stdout; needs no Kafka."),
    "publish": Entry("ops.cli.publish", "app", "Publish an export, or consents, on Kafka."),
    "ingress": Entry("ops.cli.ingress", "app", "Say which platforms may post, and of whom."),
    "console": Entry("ops.cli.console", "app", "Say who may look at the operators' page."),
    "consent": Entry("ops.cli.consent", "app", "Give a family the receipt of what it decided."),
    "decide": Entry("ops.cli.decide", "app", "May this provider know this, now? JSON in, JSON out."),
    "explain": Entry("ops.cli.explain", "app", "Why does this provider know this person, or not? Rule by rule."),
    "simulate": Entry("ops.cli.simulate", "app", "What would one provider see of a set of files? Needs no Kafka."),
    "pseudonym": Entry("ops.cli.pseudonym", "app", "Compute one pseudonym from its parts, to check it by other means."),
    "pseudonyms-of": Entry("ops.cli.names", "app", "Tell a family by which names providers know somebody."),
    "reidentify": Entry("ops.cli.reidentify", "app", "Find who is behind a name, after an incident: two operators."),
    "keys": Entry("ops.cli.keys", "app", "Make the keys, see their state, and change the names at providers."),
    "policy": Entry("ops.cli.policy", "app", "Check, sign and compare policies, and put them in force."),
    "census": Entry(
        "ops.cli.census", "app", "Count how many share a place or a group: what may leave, and how coarse."
    ),
    "topics": Entry("ops.cli.topics", "app", "Make and correct the topics of a Kafka cluster."),
    "config": Entry("ops.cli.config", "app", "Check settings, keys, cluster, topics and policies."),
    "bench": Entry("ops.benchmarks.command", "app", "Measure each stage beside its peers, on one Kafka."),
    "synthesise": Entry("ops.cli.synthesise", "app", "Write an invented AAF export of any size."),
}


def _is_there(entry: Entry) -> bool:
    """Whether this installation has it; looks for the file and runs none of its code."""
    package, _, module = entry.module.rpartition(".")
    return find_spec(package) is not None and find_spec(f"{package}.{module}") is not None


class _LazyGroup(TyperGroup):
    def list_commands(self, _ctx: Any) -> list[str]:
        return [name for name, entry in COMMANDS.items() if _is_there(entry)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """For the list: a name and a line of help."""
        entry = COMMANDS.get(cmd_name)
        if entry is None or cmd_name not in self.list_commands(ctx):
            return None
        return TyperCommand(cmd_name, help=entry.short)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """For the run: the command itself."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found and _load(str(name)), rest


def _load(name: str) -> Any:
    entry = COMMANDS[name]
    written = getattr(import_module(entry.module), entry.name)
    if not isinstance(written, typer.Typer):
        function, written = written, typer.Typer(add_completion=False)
        written.command(name)(function)  # its docstring says how it ends
    command = get_command(written)
    command.name = name
    return command


@cache
def application() -> typer.Typer:
    app = typer.Typer(
        cls=_LazyGroup,
        help="The border post of a national school directory: only what law, contract and family allow leaves.",
        epilog=EPILOGUE,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root() -> None:
        pass

    return app
