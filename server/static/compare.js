/** The curves of the chosen runs, in every chart. */
import { Chart } from "./charts/chart.js";
import { Controls } from "./charts/controls.js";
import { startOf } from "./charts/data.js";
import { comparedLines } from "./charts/lines.js";

const runs = [...document.querySelectorAll(".chosen-runs [data-run]")].map(({ dataset }) => ({
  id: dataset.run,
  label: dataset.label,
  style: dataset.style,
  pinned: dataset.pinned === "true",
}));
const charts = [...document.querySelectorAll("figure[data-chart]")].map((figure) =>
  new Chart(figure, (range) => controls.zoom(range))
);
const form = document.querySelector(".chart-controls");
const loaded = form ? await load() : [];
const controls = form && new Controls(form, charts, draw);
if (controls) draw();

/** A run whose numbers cannot be had has no curve; the list above the charts says why. */
async function load() {
  const response = await fetch(`/api/compare?${new URLSearchParams(runs.map(({ id }) => ["run", id]))}`);
  const metrics = response.ok ? (await response.json()).metrics : {};
  return runs.map((run) => {
    const charts = metrics[run.id] ?? {};
    return { ...run, charts, start: startOf(charts) };
  });
}

function draw() {
  controls.offer(loaded.flatMap(({ charts }) => Object.values(charts)));
  const { settings } = controls;
  for (const chart of charts) {
    const source = chart.series[chart.name];
    const curves = loaded.flatMap((run) => run.charts[source] ? [{ ...run, data: run.charts[source] }] : []);
    const shown = comparedLines(curves, chart.name, settings);
    if (curves.length > 0 && shown.lines.length === 0) chart.hide();
    else chart.show(shown, settings.axis);
  }
  controls.show();
}
