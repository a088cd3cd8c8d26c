"""`sanctuaire consent`: the receipt of a decision, for the family that took it."""

import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from ops.cli.exits import DATA, EPILOGUE, SOME_REFUSED, USAGE, manual
from ops.cli.options import AsJson, Bootstrap, file_or_dash
from ops.policy_files import POLICIES_FOLDER, Policies, read_policies
from ops.publishing.cluster import reach, require_topics
from ops.publishing.consents import decisions_about, last_words
from ops.receipts.html import html
from ops.receipts.markdown import markdown
from ops.receipts.page import page_of
from ops.receipts.particulars import read_particulars
from ops.receipts.words import Words
from services.contract.consents import ConsentDecision
from services.contract.errors import NotThisSchema, Unreadable
from services.contract.policies import ProviderPolicy
from services.contract.topology import CONSENTS
from services.ingress.particulars import Language
from services.ingress.reading import MAX_CONSENT_BYTES, Item, Refused, read_body, read_lines
from services.ingress.recording import receipt_of, record_of

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Give a family the receipt of what it decided.")

Read = Item[ConsentDecision] | Refused


@app.callback()
def consent() -> None:
    """Give a family the receipt of what it decided."""


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Write the receipt of consent decisions, in plain words: who decided, what for, which data, who receives them, "
        "where, until when, and how to go back on it. Decisions come from a file (JSON, one a line), from stdin (-), "
        "or from Kafka by a person's routing key: then the last word of each party. With --json, each is a consent "
        "receipt after ISO/IEC TS 27560 in the terms of W3C DPV (JSON-LD), with the identifiers in clear.",
        "sanctuaire consent receipt decision.json --format html > receipt.html",
        "sanctuaire consent receipt --subject 999000001AB --bootstrap localhost:9092 --lang en",
    ),
)
def receipt(  # noqa: PLR0917  # typer passes them by name
    path: Annotated[Path | None, typer.Argument(callback=file_or_dash, help="A file, or - for stdin.")] = None,
    subject: Annotated[str | None, typer.Option(metavar="KEY", help="A person's routing key: read from Kafka.")] = None,
    policies: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="The policies in force when it was decided.")
    ] = POLICIES_FOLDER,
    lang: Annotated[Language, typer.Option(help="Language of the receipt.")] = "fr",
    form: Annotated[Literal["markdown", "html"], typer.Option("--format", help="How it is written.")] = "markdown",
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    if (path is None) == (subject is None):
        print("sanctuaire: give either a file of decisions or --subject", file=sys.stderr)
        raise typer.Exit(USAGE)
    wanted, particulars = read_policies(policies), read_particulars(policies)
    words, now = Words(lang), datetime.now(UTC)
    pages, receipts, refused = [], [], 0
    for read in _from_file(path) if path is not None else _from_kafka(subject or "", bootstrap):
        try:
            decision = _decision(read)
            policy = _policy(decision, wanted)
            receipts.append(receipt_of(record_of(decision, policy, particulars), now))
            pages.append(page_of(decision, policy, particulars, words, now))
        except NotThisSchema as error:
            refused += 1
            print(f"refused: {read.position}: {error}", file=sys.stderr)
    if not pages:
        print("sanctuaire: no decision to give a receipt of", file=sys.stderr)
        raise typer.Exit(DATA)
    if as_json:
        print("\n".join(one.model_dump_json(by_alias=True) for one in receipts))
    else:
        print(html(pages) if form == "html" else markdown(pages), end="")
    raise typer.Exit(SOME_REFUSED if refused else 0)


def _decision(read: Read) -> ConsentDecision:
    if isinstance(read, Refused):
        raise NotThisSchema(f"{read.why} ({read.code})")
    return read.payload


def _policy(decision: ConsentDecision, wanted: Policies) -> ProviderPolicy:
    if decision.provider not in wanted:
        raise NotThisSchema("provider: it has no policy in that folder")
    return wanted[decision.provider]


def _from_file(path: Path) -> list[Read]:
    """One JSON object or list on any number of lines, or one object a line."""
    raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    try:
        return list(read_body(raw, ConsentDecision, MAX_CONSENT_BYTES))
    except Unreadable:
        return list(read_lines(io.BytesIO(raw), ConsentDecision, MAX_CONSENT_BYTES))


def _from_kafka(subject: str, bootstrap: str | None) -> list[Read]:
    addresses = reach(bootstrap)
    require_topics(addresses, (CONSENTS,))
    return [Item(number, one) for number, one in enumerate(last_words(decisions_about(addresses, subject)), 1)]
