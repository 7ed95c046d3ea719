/** Draws the charts with uPlot in the frames that the server has laid out. */
import uPlot from "./uplot.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const FONT = "11px system-ui, sans-serif";

/** Lines of one colour, told apart: as in compare.css. */
const DASHES = {
  dash1: [8, 4],
  dash2: [2, 3],
  dash3: [12, 3, 2, 3],
  dash4: [14, 6],
  dash5: [6, 3, 2, 3, 2, 3],
  dash6: [3, 7],
};
/** Values that are told at once. */
const MOST_TOLD = 8;

const TITLES = {
  loss: "loss",
  smoothed: "smoothed loss",
  "eval_loss": "held-out loss",
  "learning_rate": "rate",
  "tokens_per_second": "tokens/s",
  rss: "memory",
};

/** A value as the rest of the page writes it. */
export function write(chart, value) {
  if (value === null || value === undefined) return "–";
  if (chart === "memory") return bytes(value);
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  if (size >= 10) return value.toFixed(size >= 100 ? 0 : 1);
  if (size >= 0.1 || size === 0) return value.toFixed(size >= 1 || size === 0 ? 2 : 3);
  return size >= 1e-4 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

function bytes(value) {
  const names = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; value >= 999.5 && unit < names.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : Number(value.toPrecision(3))} ${names[unit]}`;
}

/** One chart. Made when there is something to draw. */
export class Chart {
  #plot;
  #data;
  #names = [];

  constructor(figure, titles = TITLES) {
    this.figure = figure;
    this.name = figure.dataset.chart;
    this.frame = figure.querySelector(".plot");
    this.hover = figure.querySelector(".hover");
    this.titles = titles;
    this.styles = JSON.parse(figure.dataset.styles ?? "{}");
    this.toggle = figure.querySelector(".toggle");
    this.toggle?.addEventListener("click", (event) => this.#switchScale(event));
    this.toggle?.addEventListener("keydown", (event) => event.key === " " && this.#switchScale(event));
    this.frame.addEventListener("keydown", (event) => this.#walk(event));
    new ResizeObserver(() => this.#fit()).observe(this.frame);
    dark.addEventListener("change", () => this.#draw());
  }

  /** Number of places on the x axis. */
  get length() {
    return this.#data?.[0].length ?? 0;
  }

  /** `steps` and for each name a value at every step or null. */
  show(steps, series) {
    const names = Object.keys(series);
    if (steps.length === 0 || names.length === 0) return;
    this.#data = [steps, ...names.map((name) => series[name])];
    const same = this.#plot && names.join() === this.#names.join();
    this.#names = names;
    this.figure.dataset.points = String(steps.length);
    if (same) this.#plot.setData(this.#shown());
    else this.#draw();
  }

  #shown() {
    if (this.figure.dataset.scale !== "log") return this.#data;
    // A logarithm has no place for what is not above zero.
    const [steps, ...series] = this.#data;
    return [steps, ...series.map((values) => values.map((value) => value > 0 ? value : null))];
  }

  #draw() {
    if (!this.#data) return;
    this.#plot?.destroy();
    this.frame.querySelectorAll("svg, .nothing").forEach((part) => part.remove());
    this.#plot = new uPlot(this.#options(), this.#shown(), this.frame);
  }

  #options() {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: color("--soft"),
      font: FONT,
      grid: { stroke: color("--line"), width: 1 },
      ticks: { show: false },
    };
    const isLog = this.figure.dataset.scale === "log";
    return {
      ...this.#size(),
      scales: { x: { time: false }, y: { distr: isLog ? 3 : 1 } },
      cursor: { y: false, drag: { x: true, y: false, setScale: true } },
      axes: [
        { ...axis, size: 28, values: (_, marks) => marks.map((n) => n.toLocaleString("en")) },
        { ...axis, size: 62, values: (_, marks) => marks.map((n) => n === null ? "" : write(this.name, n)) },
      ],
      series: [{}, ...this.#names.map((name, i) => this.#line(name, i, color))],
      hooks: { setCursor: [(plot) => this.#tell(plot.cursor.idx)] },
    };
  }

  #line(name, i, color) {
    // As the server styles it: "s1 dots".
    const [at, drawn] = (this.styles[name] ?? `s${i}`).split(" ");
    const [raw, dots] = [drawn === "raw", drawn === "dots"];
    const dash = DASHES[drawn];
    const stroke = color(`--${at}`);
    return {
      label: name,
      stroke: raw ? `${stroke}99` : stroke,
      width: dots ? 0 : raw ? 1 : 2,
      spanGaps: true,
      ...dash && { dash },
      points: dots
        ? { show: true, size: 9, fill: stroke, stroke, width: 1 }
        : { show: this.length < 3, stroke },
    };
  }

  #size() {
    return { width: Math.max(100, this.frame.clientWidth), height: this.frame.clientHeight };
  }

  #fit() {
    const { width, height } = this.#size();
    if (this.#plot && (this.#plot.width !== width || this.#plot.height !== height)) {
      this.#plot.setSize({ width, height });
    }
  }

  /** The values at the place that is pointed at, in words. */
  #tell(index) {
    if (index === null || index === undefined) return this.hover.textContent = "";
    const [steps, ...series] = this.#data;
    const values = series.flatMap((all, i) =>
      all[index] === null || all[index] === undefined
        ? []
        : [`${this.titles[this.#names[i]] ?? this.#names[i]} ${write(this.name, all[index])}`]
    );
    const told = values.length > MOST_TOLD
      ? [...values.slice(0, MOST_TOLD), `${values.length - MOST_TOLD} more`]
      : values;
    this.hover.textContent = [`step ${steps[index].toLocaleString("en")}`, ...told].join(" · ");
  }

  /** The arrow keys move along the steps, so that the values can be had without a mouse. */
  #walk(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
    const move = moves[event.key];
    if (!this.#plot || move === undefined) return;
    event.preventDefault();
    const from = this.#plot.cursor.idx ?? (move > 0 ? -1 : this.length);
    const index = Math.max(0, Math.min(this.length - 1, from + move));
    const [steps, ...series] = this.#data;
    const value = series.map((all) => all[index]).find((value) => value !== null && value !== undefined);
    this.#plot.setCursor({
      left: this.#plot.valToPos(steps[index], "x"),
      top: this.#plot.valToPos(value ?? 0, "y"),
    });
    this.#tell(index);
  }

  #switchScale(event) {
    event.preventDefault();
    const isLog = this.figure.dataset.scale !== "log";
    this.figure.dataset.scale = isLog ? "log" : "linear";
    this.toggle.setAttribute("aria-pressed", String(isLog));
    this.#draw();
  }
}
