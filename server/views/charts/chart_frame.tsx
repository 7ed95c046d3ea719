/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import type { Child } from "../../../src/deps/hono.ts";
import { CHART_NAMES, type ChartName } from "../../../src/view/charts.ts";
import { ChartSvg, type Line } from "./chart_svg.tsx";

export const CHART_TITLES: { readonly [C in ChartName]: string } = {
  loss: "Loss",
  "grad_norm": "Gradient norm",
  "learning_rate": "Learning rate",
  "tokens_per_second": "Tokens per second",
  memory: "Memory",
  use: "CPU and GPU use",
  temperature: "Temperature",
};

/** What the values of a chart are, where they are no plain numbers. */
export const CHART_UNITS: { readonly [C in ChartName]?: "bytes" | "percent" | "celsius" } = {
  memory: "bytes",
  use: "percent",
  temperature: "celsius",
};

/** The charts with a logarithmic scale, as the address of a page names them: `?log=loss&log=memory`. */
export function logCharts(named: readonly string[] | undefined, known: readonly string[] = CHART_NAMES) {
  return new Set(known.filter((name) => named?.includes(name)));
}

export interface ChartFrameProps {
  readonly name: string;
  readonly title: string;
  readonly unit: string | undefined;
  /** Series that the script may draw, with the style of each: `{"loss": "s0"}`. */
  readonly series: Readonly<Record<string, string>>;
  readonly lines: readonly Line[];
  /** What it shows, in a sentence. */
  readonly description: string;
  readonly log: boolean;
  /** The page with the other scale. */
  readonly otherScale: string;
  /** Only the script may show it, once there is something to draw. */
  readonly hidden?: boolean;
  /** What the lines are; undefined where the page says it once for all charts. */
  readonly keys?: Child;
}

/** A chart's frame of its final size, with the server's picture. Scripts put their own drawing into it. */
export function ChartFrame(props: ChartFrameProps) {
  const { name, title, unit, series, lines, description, log, otherScale, hidden = false, keys } = props;
  return (
    <figure
      class="chart"
      data-chart={name}
      data-title={title}
      data-unit={unit}
      data-scale={log ? "log" : "linear"}
      data-series={JSON.stringify(series)}
      data-keys={keys === undefined ? "elsewhere" : "own"}
      hidden={hidden}
    >
      <figcaption>
        <h3>{title}</h3>
        <span class="chart-tools">
          <button type="button" class="toggle png" aria-label={`PNG of ${title}`} hidden>PNG</button>
          <a
            class="toggle scale"
            href={otherScale}
            role="button"
            aria-pressed={log ? "true" : "false"}
            aria-label={`log scale of ${title}`}
          >
            log scale
          </a>
        </span>
      </figcaption>
      <div
        class="plot"
        tabindex={0}
        role="group"
        aria-label={`${title}: the arrow keys move along the steps`}
        aria-describedby={`about-${name}`}
      >
        <ChartSvg lines={lines} unit={unit} log={log} label={description} />
      </div>
      <p class="about" id={`about-${name}`} hidden>{description}</p>
      <p class="legend">
        <span class="keys">{keys}</span>
        <output class="hover" aria-live="off"></output>
      </p>
    </figure>
  );
}

/** One line's mark and name. */
export function Key({ style, children }: { style: string; children?: Child }) {
  return (
    <span class={style}>
      <i aria-hidden="true"></i>
      {children}
    </span>
  );
}

/** What applies to all charts of a page. The script shows it: without one nothing here would work. */
export function ChartControls() {
  return (
    <form class="chart-controls" aria-label="Charts" hidden>
      <label>
        Smoothing <input type="range" name="smoothing" min="0" max="0.99" step="0.01" value="0.9" />
        <output name="weight">0.90</output>
      </label>
      <label>
        x axis{" "}
        <select name="axis">
          <option value="step">step</option>
          <option value="tokens">tokens</option>
          <option value="epoch">epoch</option>
          <option value="time">time</option>
        </select>
      </label>
      <label>
        from <input type="number" name="from" step="any" />
      </label>
      <label>
        to <input type="number" name="to" step="any" />
      </label>
      <span class="soft unit"></span>
      <button type="button" name="reset" hidden>Reset zoom</button>
    </form>
  );
}
