"""What the benchmark prints: every figure with its spread, every ratio, what is missing and what is wrong."""

from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.table import Table

from ops.benchmarks.findings import Findings, Measured


def show(findings: Findings, console: Console) -> None:
    """Print it all; a fault comes last, where it is read."""
    for table in _figures(findings.figures):
        console.print(table)
    if findings.ratios:
        console.print(_ratios(findings))
    for name, reason in findings.missing.items():
        console.print(f"missing: {name}: {reason}", markup=False, highlight=False)
    for fault in findings.faults:
        console.print(f"NOT THE SAME WORK: {fault}", style="bold red", markup=False, highlight=False)


def _figures(figures: Mapping[str, Measured]) -> Iterator[Table]:
    """For a section as a whole a row each quantity; below, a row each who was measured, a column each quantity."""
    sections: dict[str, dict[str, dict[str, Measured]]] = {}
    for name, measured in figures.items():
        section, what, quantity = _parts(name)
        sections.setdefault(section, {}).setdefault(what, {})[quantity] = measured
    for section, rows in sections.items():
        if whole := rows.pop("", None):
            yield _whole(section, whole)
        if not rows:
            continue
        quantities = list(dict.fromkeys(quantity for row in rows.values() for quantity in row))
        table = Table(title=f"{section}: median over the rounds, lowest–highest below", title_justify="left")
        table.add_column("", no_wrap=True)
        for quantity in quantities:
            table.add_column(quantity.replace("_", " "), justify="right")
        for what, row in rows.items():
            table.add_row(what, *(_cell(row.get(quantity), quantity) for quantity in quantities))
        yield table


def _whole(section: str, row: Mapping[str, Measured]) -> Table:
    table = Table(section, title_justify="left")
    table.add_column("", justify="right")
    for quantity, measured in row.items():
        table.add_row(quantity.replace("_", " "), _cell(measured, quantity))
    return table


def _cell(measured: Measured | None, quantity: str) -> str:
    if measured is None:
        return ""
    median = written(measured.median, quantity)
    if measured.rounds == 1:
        return median
    return f"{median}\n{written(measured.lowest, quantity)}–{written(measured.highest, quantity)}"


def _ratios(findings: Findings) -> Table:
    table = Table("ratio: ours ÷ peer", title_justify="left")
    table.add_column("", justify="right")
    for name, ratio in findings.ratios.items():
        table.add_row(name, "–" if ratio is None else f"{ratio:.2f}")
    return table


def _parts(name: str) -> tuple[str, str, str]:
    section, *what, quantity = name.split("/")
    return section, "/".join(what), quantity


def written(value: float, quantity: str) -> str:
    """A figure in the unit that its name ends in."""
    if "bytes" in quantity.split("_"):
        return f"{value / 1e6:,.1f} MB"
    if value < 1e-3 and quantity.startswith("seconds"):
        return f"{value * 1e6:,.2f} µs"
    digits = next((digits for above, digits in _digits() if abs(value) >= above), 4)
    return f"{value:,.{digits}f}"


def _digits() -> Iterator[tuple[float, int]]:
    yield from ((100.0, 0), (10.0, 1), (1.0, 2), (0.1, 3))
