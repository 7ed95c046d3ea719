/** The colours of every page and chart: in light and in dark. Text on `page` and `card` keeps the contrast of WCAG AA. */
export const COLORS = {
  ink: ["#16191d", "#eceef1"],
  soft: ["#5c626b", "#9ba3ae"],
  line: ["#e1e4e8", "#2a2f36"],
  /** Borders of what one can press or type into. */
  edge: ["#c4c9d1", "#434a55"],
  page: ["#f6f7f9", "#0f1114"],
  card: ["#fff", "#16191d"],
  /** Bars of charts. */
  bar: ["#3b6fd4", "#7ea6f5"],
  good: ["#136b3d", "#5fd39b"],
  warn: ["#875000", "#f1b45f"],
  bad: ["#ab1f14", "#ff8f85"],
  /** Lines of charts, in the order they are given out. */
  s0: ["#3b6fd4", "#7ea6f5"],
  s1: ["#b8500a", "#f5a05f"],
  s2: ["#1a7f4b", "#5fd39b"],
  s3: ["#7d3ac1", "#c99bf5"],
  s4: ["#b42318", "#ff8f85"],
  s5: ["#0b7285", "#5fd0dd"],
  s6: ["#7a6100", "#e3c34f"],
  s7: ["#59616e", "#a0a6b0"],
  link: ["#2456b8", "#9dbcfa"],
  focus: ["#2456b8", "#9dbcfa"],
  /** Behind what a terminal shows. */
  term: ["#f3f5f7", "#0c0e11"],
} as const satisfies Readonly<Record<string, readonly [light: string, dark: string]>>;

/** The line of each series of a training, by number. */
export const SERIES_COLORS: Readonly<Record<string, number>> = {
  loss: 0,
  smoothed: 0,
  "eval_loss": 1,
  "grad_norm": 6,
  "learning_rate": 2,
  "tokens_per_second": 3,
  rss: 5,
  "gpu_memory": 1,
  cpu: 5,
  gpu: 1,
  "cpu_temperature": 5,
  "gpu_temperature": 1,
};

const variables = (theme: 0 | 1) =>
  Object.entries(COLORS).map(([name, colors]) => `--${name}: ${colors[theme]};`).join(" ");

/** The colours as variables that style sheets use: `var(--ink)`. */
export const COLOR_STYLE = `:root { color-scheme: light dark; ${variables(0)} }
@media (prefers-color-scheme: dark) { :root { ${variables(1)} } }
`;
