/** The charts of one run: asked for whole, then grown by what its stream brings. */
import { Chart } from "./chart.js";
import { Controls } from "./controls.js";
import { add, startOf } from "./data.js";
import { runLines } from "./lines.js";
import { describe } from "./text.js";

/** More than this and the server is asked to draw anew with fewer. */
const MOST = 4000;

export class RunCharts {
  #charts;
  #controls;
  #drawn = {};
  #reached;
  #loading;
  #isOutdated = false;

  constructor(id) {
    this.id = id;
    this.#charts = [...document.querySelectorAll("figure[data-chart]")].map((figure) =>
      new Chart(figure, (range) => this.#controls.zoom(range))
    );
    const form = document.querySelector(".chart-controls");
    // A run that never trained has no charts.
    if (form) this.#controls = new Controls(form, this.#charts, () => this.#draw());
  }

  load() {
    // What is on its way may be older than what is asked for now: another one follows it.
    this.#isOutdated = true;
    return this.#loading ??= this.#fetchAll().finally(() => this.#loading = undefined);
  }

  async #fetchAll() {
    while (this.#isOutdated) {
      this.#isOutdated = false;
      await this.#fetch();
    }
  }

  async #fetch() {
    if (this.#charts.length === 0) return;
    const response = await fetch(`/api/runs/${encodeURIComponent(this.id)}/metrics`);
    if (!response.ok) return;
    const { charts, end } = await response.json();
    this.#drawn = charts;
    this.#reached = end;
    this.#draw();
  }

  grow({ from, to, points }) {
    const reached = this.#reached;
    if (reached === undefined || to <= reached && from < to && from !== 0) return;
    // Lines were missed, or it is another file by now.
    if (from > reached || from === 0 || !points) return this.load();
    this.#reached = to;
    for (const { name, series } of this.#charts) {
      for (const point of points) add(this.#drawn[name], Object.keys(series), point);
    }
    if (Object.values(this.#drawn).some(({ steps }) => steps.length > MOST)) this.load();
    else this.#draw();
  }

  #draw() {
    this.#controls.offer(Object.values(this.#drawn));
    const { settings } = this.#controls;
    const start = startOf(this.#drawn);
    for (const chart of this.#charts) {
      const data = this.#drawn[chart.name];
      if (!data) continue;
      const about = describe(chart.title, data.steps, data.series, chart.unit);
      chart.show(runLines(data, chart.series, settings, start), settings.axis, about);
    }
    this.#controls.show();
  }
}
