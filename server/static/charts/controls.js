/** What applies to all charts of a page: smoothing, the x axis and its zoomed part. Kept as long as the browser's tab. */
import { AXES } from "./data.js";

const KEPT = "charts";
/** As the server's pictures and the trainer have it. */
const DEFAULTS = { smoothing: 0.9, axis: "step" };
const UNITS = { step: "steps", tokens: "tokens", epoch: "epochs", time: "seconds" };

export class Controls {
  #charts;
  #settings = kept();
  #range;

  /** `onChange` draws all charts anew. */
  constructor(form, charts, onChange) {
    this.form = form;
    this.onChange = onChange;
    this.#charts = charts;
    const { smoothing, axis, from, to, reset } = form.elements;
    smoothing.value = this.#settings.smoothing;
    axis.value = this.#settings.axis;
    form.addEventListener("submit", (event) => event.preventDefault());
    smoothing.addEventListener("input", () => this.#set({ smoothing: smoothing.valueAsNumber }));
    axis.addEventListener("change", () => {
      // Steps are no seconds.
      this.zoom(undefined);
      this.#set({ axis: axis.value });
    });
    for (const field of [from, to]) field.addEventListener("change", () => this.#typed());
    reset.addEventListener("click", () => this.zoom(undefined));
    form.hidden = false;
    this.show();
  }

  /** As chosen; what is not known of these trainings is drawn over the steps. */
  get settings() {
    const { axis } = this.form.elements;
    return { ...this.#settings, axis: axis.selectedOptions[0]?.disabled ? "step" : axis.value };
  }

  /** Shows a part of the x axis in every chart, or all of it. */
  zoom(range) {
    const isCounted = ["step", "tokens"].includes(this.settings.axis);
    this.#range = range && isCounted ? [Math.floor(range[0]), Math.ceil(range[1])] : range;
    for (const chart of this.#charts) chart.zoom(this.#range);
    this.show();
  }

  /** Only the axes that these trainings have numbers for can be chosen. */
  offer(charts) {
    const columns = new Set(charts.flatMap(({ x }) => Object.keys(x)));
    for (const option of this.form.elements.axis.options) {
      option.disabled = option.value !== "step" && !columns.has(option.value);
    }
  }

  #set(change) {
    this.#settings = { ...this.#settings, ...change };
    keep(this.#settings);
    this.show();
    this.onChange();
  }

  /** The same as dragging, for the keyboard. */
  #typed() {
    const { from, to } = this.form.elements;
    const [first, last] = this.#extent();
    const low = from.value === "" ? first : from.valueAsNumber;
    const high = to.value === "" ? last : to.valueAsNumber;
    const isRange = low < high;
    to.setCustomValidity(isRange ? "" : "The end has to lie behind the start");
    if (isRange) this.zoom(from.value === "" && to.value === "" ? undefined : [low, high]);
    else to.reportValidity();
  }

  #extent() {
    const all = this.#charts.flatMap(({ extent }) => extent ?? []);
    return [Math.min(...all), Math.max(...all)];
  }

  /** Writes what is shown into the fields, after the charts have changed. */
  show() {
    const { weight, from, to, reset } = this.form.elements;
    weight.value = this.#settings.smoothing.toFixed(2);
    reset.hidden = !this.#range;
    this.form.querySelector(".unit").textContent = UNITS[this.settings.axis];
    const shown = this.#range ?? this.#extent();
    for (const [field, i] of [[from, 0], [to, 1]]) {
      field.placeholder = Number.isFinite(shown[i]) ? String(Number(shown[i].toPrecision(6))) : "";
      field.value = this.#range ? field.placeholder : "";
    }
    to.setCustomValidity("");
  }
}

function kept() {
  try {
    const { smoothing, axis } = JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
    return {
      smoothing: smoothing >= 0 && smoothing < 1 ? smoothing : DEFAULTS.smoothing,
      axis: AXES.includes(axis) ? axis : DEFAULTS.axis,
    };
  } catch {
    // Storage that is switched off or holds something else is no reason to draw nothing.
    return DEFAULTS;
  }
}

function keep(settings) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(settings));
  } catch {
    // Then it lasts as long as the page.
  }
}
