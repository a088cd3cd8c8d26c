"""`sanctuaire pseudonym`: the whole construction in one line, for whoever checks it by other means."""

from pathlib import Path
from typing import Annotated

import typer

from ops.cli.exits import EPILOGUE, manual
from ops.keys import pseudonym_line, read_root
from services.contract.identifiers import IdType
from services.contract.naming import EntityClass

app = typer.Typer(add_completion=False)

_BE32 = (1 << 32) - 1


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Print the pseudonym that one provider has for one person, school or group, from 32 raw bytes of root. "
        "A malformed identifier or a placeholder prints nothing on stdout and exits 65.",
        "sanctuaire pseudonym --root-file root --perimeter FR --provider prov-a.example \\",
        "  --purpose pedagogical-access --epoch 1 --generation 0 \\",
        "  --class person --namespace fr-idf --type INE --value 1234567890A",
    ),
)
def pseudonym(  # noqa: PLR0917  # typer passes them by name
    root_file: Annotated[Path, typer.Option(help="32 raw bytes.")],
    perimeter: Annotated[str, typer.Option(help="The perimeter's id, such as FR.")],
    provider: Annotated[str, typer.Option(help="The provider's id.")],
    purpose: Annotated[str, typer.Option(help="The purpose family.")],
    namespace: Annotated[str, typer.Option(help="Constant for INE and UAI, the source for local.")],
    value: Annotated[str, typer.Option(help="The identifier.")],
    entity_class: Annotated[EntityClass, typer.Option("--class", help="What is named.")],
    id_type: Annotated[IdType, typer.Option("--type", help="Which identifier names it.")],
    epoch: Annotated[int, typer.Option(min=0, max=_BE32)] = 1,
    generation: Annotated[int, typer.Option(min=0, max=_BE32)] = 0,
    uuid: Annotated[bool, typer.Option("--uuid", help="As a UUIDv8 (RFC 9562).")] = False,
) -> None:
    print(
        pseudonym_line(
            read_root(root_file), perimeter=perimeter, provider=provider, purpose_family=purpose, epoch=epoch,
            generation=generation, entity_class=entity_class, namespace=namespace, id_type=id_type, value=value,
            uuid=uuid,
        )
    )  # fmt: skip
