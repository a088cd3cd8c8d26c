"use strict";
// The live link: one stream a page, closed when the page is left. Without this file the page still says everything.
(() => {
  const link = document.getElementById("link");
  const tell = (live) => {
    if (!link || link.dataset.is === String(live)) return;
    link.dataset.is = String(live);
    link.className = live ? "link live" : "link lost";
    link.textContent = live ? link.dataset.live : link.dataset.lost;
  };

  htmx.createEventSource = (url) => {
    const source = new EventSource(url);
    source.addEventListener("open", () => tell(true));
    source.addEventListener("error", () => tell(false));
    source.addEventListener("renew", () => location.reload());
    addEventListener("pagehide", () => source.close());
    return source;
  };
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  // Numbers and classes in the drawing are set where they stand, so that its movement goes on.
  document.addEventListener("htmx:sseMessage", () => {
    const drawing = document.getElementById("drawing");
    if (!drawing) return;
    for (const [id, text, name] of JSON.parse(drawing.dataset.set)) {
      const place = document.getElementById(id);
      if (!place) continue;
      if (text !== null && place.textContent !== text) place.textContent = text;
      if (name !== null && place.getAttribute("class") !== name) place.setAttribute("class", name);
    }
  });

  const chart = document.getElementById("chart");
  let plot = null;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const draw = async () => {
    const answer = await fetch(chart.dataset.source, { credentials: "same-origin" });
    if (!answer.ok) return;
    const said = await answer.json();
    const series = [said.at, said.filtering, said.released, said.erased];
    if (plot) { plot.setData(series); return; }
    const language = document.documentElement.lang;
    const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false });
    const number = new Intl.NumberFormat(language);
    const font = `12px ${getComputedStyle(chart).fontFamily}`;
    const count = (_plot, value) => (value == null ? "–" : number.format(value));
    const points = { show: false };
    const axis = { font, stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
    plot = new uPlot({
      width: chart.clientWidth, height: 210, cursor: { y: false },
      axes: [
        { ...axis, values: (_plot, at) => at.map((one) => clock.format(one * 1000)) },
        { ...axis, size: 56, values: (_plot, at) => at.map((one) => number.format(one)) },
      ], scales: { y: { range: (_plot, _low, high) => [0, Math.max(4, high * 1.1)] } },
      series: [
        { label: chart.dataset.time, value: (_plot, at) => (at == null ? "" : clock.format(at * 1000)) },
        { value: count, points, label: chart.dataset.decided, stroke: colour("--ink"), width: 1.5 },
        { value: count, points, label: chart.dataset.released, stroke: colour("--accent"), width: 2, fill: colour("--wash") },
        { value: count, points, label: chart.dataset.erased, stroke: colour("--amber"), width: 2, dash: [5, 4] },
      ],
    }, series, chart);
  };
  if (chart && window.uPlot) {
    draw();
    setInterval(draw, 15000);
    addEventListener("resize", () => { if (plot) plot.setSize({ width: chart.clientWidth, height: 210 }); });
  }
})();
