/** Draws a chart with uPlot in the frame that the server has laid out. */
import uPlot from "../uplot.js";
import { valueAt } from "./lines.js";
import { download } from "./png.js";
import { place, write } from "./text.js";
import { labels, logTicks, placeLabels, placeTicks, ticks } from "./ticks.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const FONT = "11px system-ui, sans-serif";
const WIDTHS = { plain: 2, faint: 1, dots: 1.5, pinned: 3.5 };
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

/** One chart. Made when there is something to draw. */
export class Chart {
  #plot;
  #places = [];
  #lines = [];
  #axis = "step";
  /** Zoomed part of the x axis; undefined shows all of it. */
  #range;

  /** `onZoom` is told which part of the x axis was dragged over, or undefined for all of it. */
  constructor(figure, onZoom) {
    this.figure = figure;
    this.onZoom = onZoom;
    this.name = figure.dataset.chart;
    this.title = figure.dataset.title;
    this.unit = figure.dataset.unit;
    this.series = JSON.parse(figure.dataset.series);
    this.frame = figure.querySelector(".plot");
    this.hover = figure.querySelector(".hover");
    this.toggle = figure.querySelector(".scale");
    this.toggle.addEventListener("click", (event) => this.#switchScale(event));
    this.toggle.addEventListener("keydown", (event) => event.key === " " && this.#switchScale(event));
    this.frame.addEventListener("keydown", (event) => this.#walk(event));
    // Only the chart that one walks along is read aloud, not all that follow it.
    this.frame.addEventListener("focus", () => this.hover.setAttribute("aria-live", "polite"));
    this.frame.addEventListener("blur", () => this.hover.setAttribute("aria-live", "off"));
    figure.querySelector(".png").addEventListener("click", () => this.#savePng());
    new ResizeObserver(() => this.#fit()).observe(this.frame);
    dark.addEventListener("change", () => this.#draw());
  }

  /** The first and the last place. */
  get extent() {
    return this.#places.length === 0 ? undefined : [this.#places[0], this.#places.at(-1)];
  }

  /** `about` says in a sentence what there is to see. */
  show({ places, lines }, axis, about) {
    if (places.length === 0 || lines.length === 0) return;
    const form = (some) => some.map(({ label, kind, values }) => `${label} ${kind} ${isLine(values)}`).join();
    const same = this.#plot && axis === this.#axis && form(lines) === form(this.#lines);
    [this.#places, this.#lines, this.#axis] = [places, lines, axis];
    this.figure.hidden = false;
    this.figure.querySelector(".png").hidden = false;
    this.figure.dataset.points = String(places.length);
    if (about !== undefined) this.figure.querySelector(".about").textContent = about;
    if (!same) return this.#draw();
    this.#plot.setData(this.#shown(), false);
    this.#zoomPlot();
  }

  /** Nothing of it is known on the chosen axis. */
  hide() {
    this.#plot?.destroy();
    this.#plot = undefined;
    [this.#places, this.#lines] = [[], []];
    this.figure.hidden = true;
  }

  zoom(range) {
    this.#range = range;
    this.#zoomPlot();
  }

  #zoomPlot() {
    if (!this.#plot) return;
    const [min, max] = this.#range ?? this.#whole();
    this.#plot.setScale("x", { min, max });
  }

  /** All places, with room around a single one. */
  #whole() {
    const [first, last] = this.extent;
    return first === last ? [first - 1, last + 1] : [first, last];
  }

  #shown() {
    if (!this.#isLog) return [this.#places, ...this.#lines.map(({ values }) => values)];
    // A logarithm has no place for what is not above zero.
    return [
      this.#places,
      ...this.#lines.map(({ values }) => values.map((value) => value > 0 ? value : null)),
    ];
  }

  get #isLog() {
    return this.figure.dataset.scale === "log";
  }

  #draw() {
    if (this.#lines.length === 0) return;
    this.#plot?.destroy();
    this.frame.querySelectorAll("svg, .nothing").forEach((part) => part.remove());
    this.#plot = new uPlot(this.#options(), this.#shown(), this.frame);
    this.#zoomPlot();
    this.#showKeys();
  }

  #options() {
    const color = colors();
    return {
      ...this.#size(),
      scales: {
        x: { time: false, auto: false },
        y: { distr: this.#isLog ? 3 : 1, range: this.#isLog ? roomLog : room },
      },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        sync: { key: "charts", scales: ["x", null], filters: { pub: isMove, sub: isMove } },
        bind: { dblclick: () => () => this.onZoom(undefined) },
      },
      axes: this.#axes(color),
      series: [{}, ...this.#lines.map((line) => drawn(line, this.#places.length, color))],
      hooks: {
        setCursor: [(plot) => this.#tell(plot.cursor.idx)],
        setSelect: [(plot) => this.#dragged(plot)],
      },
    };
  }

  #axes(color) {
    const axis = {
      stroke: color("soft"),
      font: FONT,
      grid: { stroke: color("line"), width: 1 },
      ticks: { show: false },
      // uPlot would leave out some on a logarithmic scale.
      filter: (_, marks) => marks,
    };
    const most = (length, each) => Math.max(2, length / each);
    const apart = (marks) => this.#isLog && marks.at(-1) / marks[0] > 100;
    const up = this.#isLog ? logTicks : ticks;
    return [
      {
        ...axis,
        size: 28,
        splits: (plot, _, low, high) => placeTicks(this.#axis, low, high, most(plot.width, 90)),
        values: (_, marks) => placeLabels(this.#axis, marks),
      },
      {
        ...axis,
        size: 62,
        splits: (plot, _, low, high) => up(low, high, most(plot.height, 45)),
        values: (_, marks) => labels(marks, this.unit, apart(marks)),
      },
    ];
  }

  #dragged(plot) {
    const { left, width } = plot.select;
    if (width === 0) return;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.onZoom([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
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
    const values = this.#named().flatMap((line) => {
      const value = valueAt(line, index);
      return value === undefined ? [] : [`${line.label} ${write(value, this.unit)}`];
    });
    const more = values.length - MOST_TOLD;
    const told = more > 0 ? [...values.slice(0, MOST_TOLD), `${more} more`] : values;
    this.hover.textContent = [place(this.#places[index], this.#axis), ...told].join(" · ");
  }

  /** The arrow keys move along the steps, so that the values can be had without a mouse. */
  #walk(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
    const move = moves[event.key];
    if (!this.#plot || move === undefined) return;
    event.preventDefault();
    const { min, max } = this.#plot.scales.x;
    const first = this.#places.findIndex((at) => at >= min);
    const last = this.#places.findLastIndex((at) => at <= max);
    const from = this.#plot.cursor.idx ?? (move > 0 ? first - 1 : last + 1);
    const index = Math.max(first, Math.min(last, from + move));
    const value = this.#lines.map(({ values }) => values[index]).find((value) => value !== null) ?? 0;
    const [left, top] = [this.#plot.valToPos(this.#places[index], "x"), this.#plot.valToPos(value, "y")];
    this.#plot.setCursor({ left, top }, true, true);
    this.#tell(index);
  }

  #switchScale(event) {
    event.preventDefault();
    this.figure.dataset.scale = this.#isLog ? "linear" : "log";
    this.toggle.setAttribute("aria-pressed", String(this.#isLog));
    this.#draw();
  }

  /** Without the faint line of a run whose average has the same name: that of the run. */
  #named() {
    const averaged = new Set(this.#lines.filter(({ kind }) => kind !== "faint").map(({ label }) => label));
    return this.#lines.filter(({ kind, label }) => kind !== "faint" || !averaged.has(label));
  }

  #showKeys() {
    const named = this.figure.dataset.keys === "elsewhere" || this.#lines.length < 2 ? [] : this.#lines;
    this.figure.querySelector(".keys").replaceChildren(...named.map(({ style, kind, label }) => {
      const key = document.createElement("span");
      key.className = `${style} ${CLASSES[kind]}`.trim();
      const mark = document.createElement("i");
      mark.ariaHidden = "true";
      key.append(mark, label);
      return key;
    }));
  }

  #savePng() {
    const color = colors();
    return download(this.#plot.ctx.canvas, {
      title: this.title,
      keys: this.#named().map(({ label, style }) => ({ label, color: color(style) })),
      ink: color("ink"),
      page: color("card"),
    });
  }
}

/** As the server's pictures have them. */
const CLASSES = { plain: "", faint: "raw", dots: "dots", pinned: "pinned" };

function colors() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name.split(" ")[0]}`).trim();
}

function drawn({ label, style, kind, values }, places, color) {
  const [stroke, dash] = [color(style), DASHES[style.split(" ")[1]]];
  const isDots = kind === "dots";
  return {
    label,
    stroke: kind === "faint" ? `${stroke}66` : stroke,
    // Few losses on held-out rows are points, many are a line too.
    width: isDots && !isLine(values) ? 0 : WIDTHS[kind],
    ...dash && { dash },
    spanGaps: true,
    points: isDots
      ? { show: true, size: 9, fill: stroke, stroke, width: 1 }
      : { show: places < 3 || !isLine(values), stroke },
  };
}

function isLine(values) {
  let count = 0;
  return values.some((value) => value !== null && ++count > 2);
}

/** Other charts follow the pointer; what is dragged over reaches them by `onZoom`. */
function isMove(type) {
  return type === "mousemove";
}

/** A flat line stands in the middle. Where nothing is to be seen there are no ends. */
function room(_, low, high) {
  const more = (high - low) * 0.04 || Math.abs(high) * 0.04 || 1;
  return [low - more, high + more];
}

function roomLog(_, low, high) {
  if (!(low > 0)) return [1, 10];
  const more = (high / low) ** 0.04;
  return more > 1 ? [low / more, high * more] : [low / 1.5, high * 1.5];
}
