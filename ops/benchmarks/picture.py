"""The picture for the README: bars in SVG, readable on light and on dark paper. Pure."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from ops.benchmarks.findings import Bar, Chart

WIDTH = 720
LABELS = 230
"""Where the bars begin."""
BAR = 18
STEP = 26
TITLE = 44
FOOT = 14
FIGURE = 70
"""Room for the figure at the end of the longest bar."""

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 15px; }
.unit { fill: #59636e; font-size: 12px; }
.label { text-anchor: end; }
.ours { fill: #0969da; }
.peer { fill: #9aa4ae; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .unit { fill: #9198a1; }
  .ours { fill: #4493f8; }
  .peer { fill: #6e7681; }
}
"""


def draw(charts: Sequence[Chart]) -> str:
    """All charts, one under the other, each on a scale of its own from zero."""
    parts, top = [], 0
    for chart in charts:
        parts.append(_chart(chart, top))
        top += _height(chart)
    described = "; ".join(f"{chart.title}: {_said(chart)}" for chart in charts)
    box = f'viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img">\n'
        f"<title>{escape(described)}</title>\n<style>{STYLE}</style>\n{''.join(parts)}</svg>\n"
    )


def _height(chart: Chart) -> int:
    return TITLE + STEP * len(chart.bars) + FOOT


def _said(chart: Chart) -> str:
    return ", ".join(f"{bar.label} {_figure(bar.value)}" for bar in chart.bars)


def _chart(chart: Chart, top: int) -> str:
    longest = max((bar.value for bar in chart.bars), default=0.0) or 1.0
    rows = "".join(_bar(bar, top + TITLE + STEP * nth, longest) for nth, bar in enumerate(chart.bars))
    return (
        f'<text class="title" x="12" y="{top + 20}">{escape(chart.title)}</text>\n'
        f'<text class="unit" x="12" y="{top + 36}">{escape(chart.unit)}</text>\n{rows}'
    )


def _bar(bar: Bar, y: int, longest: float) -> str:
    length = round((WIDTH - LABELS - FIGURE) * bar.value / longest, 1)
    kind, text = ("ours" if bar.ours else "peer"), y + 14
    return (
        f'<text class="label" x="{LABELS - 10}" y="{text}">{escape(bar.label)}</text>'
        f'<rect class="{kind}" x="{LABELS}" y="{y}" width="{length}" height="{BAR}" rx="2"/>'
        f'<text x="{LABELS + length + 6}" y="{text}">{_figure(bar.value)}</text>\n'
    )


def _figure(value: float) -> str:
    """Thousands apart by a narrow blank; a fraction only where it says something."""
    return f"{value:,.0f}".replace(",", "\u202f") if value >= 100 else f"{value:.3g}"
