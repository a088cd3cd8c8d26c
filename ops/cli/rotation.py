"""`sanctuaire keys rotate`, `rekey-provider`, `announce`, `retire` and `log`: other names, said to every stage."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ops import keys as key_files
from ops.cli import exits
from ops.cli.options import AsJson, Bootstrap, By, operator
from ops.cli.progress import reading
from ops.explaining.states import open_states
from ops.keys import KeyFiles
from ops.publishing.cluster import Addresses, reach, require_topics
from ops.publishing.keys import NEEDED, acts_of, read_key_acts, read_order, record
from ops.publishing.living import Living, count_living
from services.contract.acts import broken_at
from services.contract.errors import Unreachable, WrongSettings
from services.contract.key_acts import KeyActKind
from services.contract.topology import FILTERING_STATE, KEYS_AUDIT, LEDGER, PSEUDONYMISATION_STATE
from services.pseudonymisation.keyring import EpochState, Keyring
from services.pseudonymisation.lifecycle import activated, prepared, rekeyed, retired
from services.pseudonymisation.secret import SECRET_OCTETS

commands = typer.Typer()

DEFAULT_FOLDER = Path("run/keys")

Directory = Annotated[Path, typer.Option(help="Where the two files are.", file_okay=False)]
Later = Annotated[
    bool, typer.Option("--later", help="Change the file only; say it with `keys announce` once every worker has it.")
]


@commands.command(
    epilog=exits.EPILOGUE,
    help=exits.manual(
        "Begin to name everybody anew, at every provider: the next epoch becomes active, the one before dual, and the "
        "filter goes over everybody at a bounded pace. With --prepare, only lay the next root by. Workers that have "
        "not the changed file wait for it; where it is copied to several machines, use --later, copy, and announce.",
        "sanctuaire keys rotate --directory run/keys --bootstrap localhost:9092",
    ),
)
def rotate(  # noqa: PLR0917  # typer passes them by name
    directory: Directory = DEFAULT_FOLDER,
    prepare: Annotated[bool, typer.Option("--prepare", help="Only lay the next root by.")] = False,
    later: Later = False,
    by: By = None,
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    addresses, root = _reach(bootstrap), os.urandom(SECRET_OCTETS)

    def step(keyring: Keyring) -> Keyring:
        if prepare:
            return prepared(keyring, root)
        is_prepared = keyring.epochs[-1].state is EpochState.PENDING
        return activated(keyring if is_prepared else prepared(keyring, root))

    keyring = key_files.change(KeyFiles.within(directory), step, os.urandom)
    epoch = keyring.epochs[-1].number
    _record(addresses, "prepared" if prepare else "rotated", keyring, by, announce=not (prepare or later), epoch=epoch)
    _say(keyring, f"epoch {epoch} is {keyring.epochs[-1].state}", as_json, is_announced=not (prepare or later))


@commands.command(
    name="rekey-provider",
    epilog=exits.EPILOGUE,
    help=exits.manual(
        "Give one provider another key at once, after an incident: everybody whom it has is named anew there, and "
        "nobody elsewhere. May be done while a rotation goes on.",
        "sanctuaire keys rekey-provider lecture --directory run/keys --reference INC-2026-4",
    ),
)
def rekey_provider(  # noqa: PLR0917  # typer passes them by name
    provider: Annotated[str, typer.Argument(help="The provider's id.")],
    directory: Directory = DEFAULT_FOLDER,
    reference: Annotated[str | None, typer.Option(help="The incident it is for: a number, no text.")] = None,
    later: Later = False,
    by: By = None,
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    addresses = _reach(bootstrap)
    keyring = key_files.change(KeyFiles.within(directory), lambda known: rekeyed(known, provider), os.urandom)
    _record(addresses, "rekeyed", keyring, by, announce=not later, provider=provider, reference=reference)
    _say(keyring, f"{provider} has generation {keyring.generation(provider)}", as_json, is_announced=not later)


@commands.command(
    epilog=exits.EPILOGUE,
    help=exits.manual(
        "Say to every stage which names this keyring gives, and have the filter go over everybody once more: after "
        "--later, after a command that could not say it, or on a cluster that was made anew.",
        "sanctuaire keys announce --directory run/keys --bootstrap localhost:9092",
    ),
)
def announce(directory: Directory = DEFAULT_FOLDER, by: By = None, bootstrap: Bootstrap = None) -> None:
    addresses, files = _reach(bootstrap), KeyFiles.within(directory)
    keyring, order = key_files.load(files.keyring, files.kek), read_order(addresses)
    if order is not None and order.latest > keyring.serial:
        raise WrongSettings(f"{files.keyring}: older than what is announced; use the file of the last rotation")
    _record(addresses, "announced", keyring, by, announce=True)
    print(f"announced: serial {keyring.serial}")


@commands.command(
    epilog=exits.EPILOGUE,
    help=exits.manual(
        "End a rotation: names of before are looked for no more. Refused (1), with what is left, while anybody may "
        "still be known by one: not said anew, not named anew, or not acknowledged by the provider.",
        "sanctuaire keys retire --directory run/keys --bootstrap localhost:9092",
    ),
)
def retire(
    directory: Directory = DEFAULT_FOLDER, by: By = None, bootstrap: Bootstrap = None, as_json: AsJson = False
) -> None:
    addresses, files = _reach(bootstrap), KeyFiles.within(directory)
    keyring = key_files.load(files.keyring, files.kek)
    following = retired(keyring)
    require_settled(addresses, keyring, as_json=as_json)

    def step(known: Keyring) -> Keyring:
        if known != keyring:
            raise WrongSettings(f"{files.keyring}: changed meanwhile; run the command again")
        return following

    keyring = key_files.change(files, step, os.urandom)
    _record(addresses, "retired", keyring, by)
    _say(keyring, "what was dual is retired", as_json, is_announced=True)


@commands.command(
    epilog=exits.EPILOGUE,
    help=exits.manual(
        "Show what was done to the keys and by whom, and check that no record was altered or taken out (65).",
        "sanctuaire keys log --bootstrap localhost:9092",
    ),
)
def log(bootstrap: Bootstrap = None, as_json: AsJson = False) -> None:
    addresses = reach(bootstrap)
    require_topics(addresses, (KEYS_AUDIT,))
    values = read_key_acts(addresses)
    broken = broken_at(values)
    acts = acts_of(values[:broken])
    if as_json:
        print(json.dumps({"acts": acts, "broken_at": broken}))
    else:
        table = Table("at", "act", "by", "serial", "epoch", "provider", "reference")
        for act in acts:
            row = [act[name] for name in ("at", "act", "by", "serial", "epoch", "provider", "reference")]
            table.add_row(*("–" if each is None else str(each) for each in row))
        Console().print(table)
        if broken is not None:
            print(f"record {broken} does not follow the one before it: the log was altered there")
    raise typer.Exit(exits.OK if broken is None else exits.DATA)


def require_settled(addresses: Addresses, keyring: Keyring, *, as_json: bool) -> None:
    """End the command, with what is left, while anybody may be known under other names than those of now."""
    counted = _count(addresses, keyring)
    left = {provider: living for provider, living in counted.items() if not living.is_settled}
    order = read_order(addresses)
    if left or order is None or order.latest < keyring.serial:
        _show(counted, quiet=as_json)
        if as_json:
            print(json.dumps({"left": {provider: living.to_json() for provider, living in left.items()}}))
        raise typer.Exit(exits.SOME_REFUSED)


def show_progress(bootstrap: str | None, keyring: Keyring, *, quiet: bool) -> dict[str, dict[str, int]]:
    """How far each provider is."""
    counted = _count(_reach(bootstrap), keyring)
    _show(counted, quiet=quiet)
    return {provider: living.to_json() for provider, living in counted.items()}


def _show(counted: Mapping[str, Living], *, quiet: bool) -> None:
    if quiet:
        return
    table = Table(
        "provider", "known", "to be said anew", "to be named anew", "under names of before", "not yet under that of now"
    )
    for provider, living in counted.items():
        table.add_row(provider, *map(str, living.to_json().values()))
    Console().print(table)


def _count(addresses: Addresses, keyring: Keyring) -> Mapping[str, Living]:
    require_topics(addresses, (FILTERING_STATE, PSEUDONYMISATION_STATE, LEDGER))
    with reading("counting who is known under which names") as progress, open_states(addresses, progress) as states:
        return count_living(states, keyring)


def _reach(bootstrap: str | None) -> Addresses:
    addresses = reach(bootstrap)
    require_topics(addresses, NEEDED)
    return addresses


_Record = Callable[..., None]


def _record(addresses: Addresses, act: KeyActKind, keyring: Keyring, by: str | None, **parts: object) -> None:
    write: _Record = record
    try:
        write(addresses, act, keyring, operator(by), **parts)
    except Unreachable as error:
        raise Unreachable(
            f"the keyring is changed, and that is not said yet: {error}; then run `sanctuaire keys announce`"
        ) from None


def _say(keyring: Keyring, what: str, as_json: bool, *, is_announced: bool) -> None:  # as typer gives it
    if as_json:
        print(json.dumps({"serial": keyring.serial, "announced": is_announced,
                          "epochs": {str(each.number): str(each.state) for each in keyring.epochs}}))  # fmt: skip
    else:
        print(f"{what}; serial {keyring.serial}{'' if is_announced else ', not announced'}")
