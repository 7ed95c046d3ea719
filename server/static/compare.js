/** The curves of the chosen runs in one chart. */
import { Chart } from "./chart.js";

const figure = document.querySelector("figure[data-chart=compare]");
if (figure) {
  const ids = new URLSearchParams(location.search).getAll("run");
  const query = new URLSearchParams(ids.map((id) => ["run", id]));
  const { runs, charts } = await (await fetch(`/api/compare?${query}`)).json();
  const curves = runs.map(({ id }) => {
    const { steps, series } = charts[id];
    const values = series.smoothed ?? series.loss ?? [];
    return [id, new Map(steps.map((step, i) => [step, values[i]]))];
  });
  const steps = [...new Set(curves.flatMap(([, curve]) => [...curve.keys()]))].sort((a, b) => a - b);
  const values = curves.map(([id, curve]) => [id, steps.map((step) => curve.get(step) ?? null)]);
  new Chart(figure, {}).show(steps, Object.fromEntries(values));
}
