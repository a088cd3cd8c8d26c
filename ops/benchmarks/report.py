"""What the benchmark prints: every figure with its spread, every ratio, what is missing and what is wrong."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from ops.benchmarks.findings import Findings, Measured


def show(findings: Findings, console: Console) -> None:
    """Print it all; a fault comes last, where it is read."""
    if findings.figures:
        console.print(_figures(findings))
    if findings.ratios:
        console.print(_ratios(findings))
    for name, reason in findings.missing.items():
        console.print(f"missing: {name}: {reason}", markup=False, highlight=False)
    for fault in findings.faults:
        console.print(f"NOT THE SAME WORK: {fault}", style="bold red", markup=False, highlight=False)


def _figures(findings: Findings) -> Table:
    """One row a subject, one column a quantity, section by section."""
    table = Table(title="Figures: median over the rounds (lowest–highest)", title_justify="left")
    for column in ("section", "what", "quantity", "median", "spread"):
        table.add_column(column, justify="right" if column in {"median", "spread"} else "left")
    before = None
    for name, measured in findings.figures.items():
        section, what, quantity = _parts(name)
        shown = ("", "") if (section, what) == before else (section, what)
        if before and shown[0]:
            table.add_section()
        table.add_row(
            *shown, quantity.replace("_", " "), written(measured.median, quantity), _spread(measured, quantity)
        )
        before = (section, what)
    return table


def _ratios(findings: Findings) -> Table:
    table = Table("ratio: ours ÷ peer", title_justify="left")
    table.add_column("", justify="right")
    for name, ratio in findings.ratios.items():
        table.add_row(name, "–" if ratio is None else f"{ratio:.2f}")
    return table


def _parts(name: str) -> tuple[str, str, str]:
    section, *what, quantity = name.split("/")
    return section, "/".join(what), quantity


def _spread(measured: Measured, quantity: str) -> str:
    if measured.rounds == 1:
        return "one round"
    return f"{written(measured.lowest, quantity)}–{written(measured.highest, quantity)}"


def written(value: float, quantity: str) -> str:
    """A figure in the unit that its name ends in."""
    if quantity.endswith("bytes"):
        return f"{value / 1e6:,.1f} MB"
    if value < 1e-3 and quantity.startswith("seconds"):
        return f"{value * 1e6:,.2f} µs"
    digits = next((digits for above, digits in _digits() if abs(value) >= above), 4)
    return f"{value:,.{digits}f}"


def _digits() -> Iterator[tuple[float, int]]:
    yield from ((100.0, 0), (10.0, 1), (1.0, 2), (0.1, 3))
