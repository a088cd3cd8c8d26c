"""The trace as tables, for a person who answers for it. Prints what the JSON says, and nothing else."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

Document = Mapping[str, Any]

_ANSWERS = {
    "passes": "yes",
    "assumes": "not known: taken for the safer",
    "not-asked": "not asked",
    "unknown": "cannot be said",
}
_WORDS = {
    "not-there": "has not heard of the pair",
    "behind": "has only an older word",
    "taken": "has renamed it and handed it on",
    "refused": "has refused it",
    "waits": "keeps it back",
    "told": "has told the provider",
    "delivered": "the provider acknowledged",
    "deferred": "is owed, and kept",
}


def show(trace: Document, console: Console) -> None:
    kind = trace["kind"] or "nobody yet: no source has given a whole image"
    console.print(f"[bold]{escape(trace['subject'])} and {trace['provider']}[/bold], at {_instant(trace['at'])}")
    console.print(f"{kind}; partition {trace['partition']}, last written by the filter {_instant(trace['written_at'])}")
    console.print(_sources(trace["sources"]))
    for source in trace["sources"]:
        if "values" in source:
            console.print(_values(source))
    for contract in trace["contracts"]:
        _contract(contract, console)
    if not trace["contracts"]:
        console.print("No contract of this provider, and nothing was ever released to it.")
    if trace["left_out"]:
        console.print(f"Left out: pseudonym and delivery. {trace['left_out']}")


def _table(title: str, *columns: Column | str) -> Table:
    return Table(*columns, title=title, title_justify="left", title_style="bold")


def _sources(sources: list[Document]) -> Table:
    table = _table("What the directory says", "source", "image", "said later", Column("attributes", overflow="fold"))
    for source in sources:
        deleted = f"deleted by {_version(source['deleted'])}" if source["deleted"] else _version(source["image"])
        later = "\n".join(f"{name}: {_version(version)}" for name, version in sorted(source["patched"].items()))
        name = f"{source['source']}, which counts" if source["picked"] else source["source"]
        table.add_row(name, deleted, later, ", ".join(sorted(source["said"])))
    return table


def _values(source: Document) -> Table:
    table = _table(f"Values from {source['source']}", "attribute", Column("value", overflow="fold"))
    for name, value in sorted(source["values"].items()):
        table.add_row(name, escape(str(value)))
    return table


def _contract(contract: Document, console: Console) -> None:
    basis = f": {contract['purpose']}, article {contract['legal_basis']}" if contract["purpose"] else ""
    policy = contract["policy"]
    version = f", policy version {policy['version']}" if policy else ", in no policy that is in force"
    console.rule(f"contract {contract['contract']}{basis}{version}", align="left")
    if contract["out_of_scope"]:
        console.print(f"Not concerned: {contract['out_of_scope']['sentence']} ({contract['out_of_scope']['code']})")
    decision = contract["decision"]
    if decision:
        console.print(f"[bold]{decision['verdict'].upper()}[/bold]{', and restrict' if decision['restrict'] else ''}")
        for reason in decision["reasons"]:
            console.print(f"  {reason['rule']}/{reason['code']}: {reason['sentence']} {reason['action']}")
        console.print(_rules(decision["rules"]))
        if decision["parties"]:
            console.print(_parties(decision["parties"]))
        if decision["fields"]:
            console.print(_fields(decision))
        if place := contract["place"]:
            console.print(f"Where she lives is not told: {place['sentence']} {place['action']} ({place['code']})")
    console.print(_standing(contract))
    if contract["pseudonym"]:
        console.print(f"Pseudonym: {contract['pseudonym']}")


def _rules(rules: list[Document]) -> Table:
    table = _table("Rule by rule", "", "is asked", "answer")
    for rule in rules:
        style = "dim" if rule["standing"] == "not-asked" else "bold" if rule["standing"] in {"fails", "holds"} else ""
        source = "" if rule["standing"] == "not-asked" else f"\n({rule['source']})"
        table.add_row(rule["rule"], f"{rule['question']}{source}", _answer(rule), style=style)
    return table


def _answer(rule: Document) -> str:
    found = [
        f"no, {each['outcome']}: {each['sentence']} {each['action']} ({each['code']})"
        for each in rule["found"]
        if each["outcome"] != "release"
    ]
    if rule["fields"]:
        found.append(f"drops {', '.join(rule['fields'])}")
    if rule["ground"]:
        found.append(f"yes: {rule['ground']['sentence']} ({rule['ground']['code']})")
    return "\n".join(found) or _ANSWERS[rule["standing"]]


def _parties(parties: list[Document]) -> Table:
    table = _table("Who has said what", "who", "last word", "at", "reason")
    for party in parties:
        table.add_row(party["party"], party["says"], _instant(party["at"]), party["code"] or "")
    return table


def _fields(decision: Document) -> Table:
    table = _table("Field by field", "field", "category", "leaves", "why not")
    released = decision["verdict"] == "release"
    for each in decision["fields"]:
        why = ", ".join(each["dropped_by"])
        if each["found_in_value"]:
            why += f": its value holds {', '.join(each['found_in_value'])}"
        leaves = ("yes" if released else "it would") if each["kept"] else "no"
        table.add_row(each["field"], each["category"], leaves, why)
    for name in decision["absent"]:
        needed = "required, and " if name in decision["required"] else ""
        table.add_row(name, "", "no", f"{needed}the directory says nothing of it")
    return table


def _standing(contract: Document) -> Table:
    table = _table("Where it stands", "", "", Column("seq", no_wrap=True), "at", Column("why", overflow="fold"))
    fence, now = contract["fence"], contract["now"]
    if fence is None:
        table.add_row("filter", "has never released anything", "", "", "")
    else:
        table.add_row("filter", f"last word: {fence['last']}", str(fence["seq"]), _instant(fence["issued_at"]),
                      f"digest {fence['digest']}" if fence["digest"] else "")  # fmt: skip
    if now:
        sends = f"would send a {now['sends']}" if now["sends"] else "would send nothing"
        table.add_row("filter, if asked now", sends, "", "", now["reason"])
    for stage in contract["delivery"]["stages"] if contract["delivery"] else ():
        why = f"{stage['sentence']} {stage['action']} ({stage['code']})" if stage["code"] else ""
        done = f"{_WORDS[stage['word']]}{': ' + stage['operation'] if stage['operation'] else ''}"
        table.add_row(stage["stage"], done, str(stage["seq"] or ""), _instant(stage["at"]), why)
    if contract["delivery"]:
        table.add_row("owed", "yes" if contract["delivery"]["owed"] else "nothing", "", "", "")
        table.add_row("consents applied", "", "", _instant(contract["delivery"]["consents_until"]), "")
    return table


def _version(version: Document | None) -> str:
    if version is None:
        return "none"
    return f"{version['export']} of {version['day']}, no. {version['number']}"


def _instant(text: str | None) -> str:
    """To the second."""
    return "" if text is None else f"{text[:10]} {text[11:19]} UTC"
