import { uplotCss, uplotJs } from "../src/deps/uplot.ts";
import chartJs from "./static/charts/chart.js" with { type: "text" };
import chartControlsJs from "./static/charts/controls.js" with { type: "text" };
import chartDataJs from "./static/charts/data.js" with { type: "text" };
import chartGrowthJs from "./static/charts/growth.js" with { type: "text" };
import chartLinesJs from "./static/charts/lines.js" with { type: "text" };
import chartPngJs from "./static/charts/png.js" with { type: "text" };
import chartTextJs from "./static/charts/text.js" with { type: "text" };
import chartTicksJs from "./static/charts/ticks.js" with { type: "text" };
import compareJs from "./static/compare.js" with { type: "text" };
import groupsCss from "./static/styles/groups.css" with { type: "text" };
import answersCss from "./static/styles/answers.css" with { type: "text" };
import copyCss from "./static/styles/copy.css" with { type: "text" };
import copyJs from "./static/copy.js" with { type: "text" };
import listCss from "./static/styles/list.css" with { type: "text" };
import listJs from "./static/list.js" with { type: "text" };
import chartsCss from "./static/styles/charts.css" with { type: "text" };
import compareCss from "./static/styles/compare.css" with { type: "text" };
import controlsCss from "./static/styles/controls.css" with { type: "text" };
import frameCss from "./static/styles/frame.css" with { type: "text" };
import iconSvg from "./static/icon.svg" with { type: "text" };
import liveJs from "./static/live.js" with { type: "text" };
import logCss from "./static/styles/log.css" with { type: "text" };
import logJs from "./static/log.js" with { type: "text" };
import runCss from "./static/styles/run.css" with { type: "text" };
import settingsCss from "./static/styles/settings.css" with { type: "text" };
import runJs from "./static/run.js" with { type: "text" };
import sectionsJs from "./static/sections.js" with { type: "text" };
import progressCss from "./static/styles/progress.css" with { type: "text" };
import tickJs from "./static/tick.js" with { type: "text" };
import timeTextJs from "./static/time_text.js" with { type: "text" };
import signInCss from "./static/styles/sign_in.css" with { type: "text" };
import tablesCss from "./static/styles/tables.css" with { type: "text" };
import { sha256 } from "../src/lib/files/fs.ts";
import { COLORS } from "../src/pages/colors.ts";
import { PAGE_STYLE } from "../src/pages/style.ts";

const JS = "text/javascript; charset=utf-8";
const CSS = "text/css; charset=utf-8";

const STYLES = [
  uplotCss,
  PAGE_STYLE,
  frameCss,
  controlsCss,
  listCss,
  runCss,
  chartsCss,
  tablesCss,
  progressCss,
  settingsCss,
  groupsCss,
  compareCss,
  signInCss,
  answersCss,
  copyCss,
  logCss,
];

/** The scripts and styles of the pages: they are part of the program and never read from disk. */
const ASSETS: Readonly<Record<string, { readonly type: string; readonly body: string }>> = {
  "style.css": { type: CSS, body: STYLES.join("\n") },
  // As a module it needs a name to be imported by. Its licence (MIT) comes with the package.
  "uplot.js": { type: JS, body: `${uplotJs}\nexport default uPlot;\n` },
  "icon.svg": { type: "image/svg+xml", body: iconSvg.replace("BAR", COLORS.bar[0]) },
  "charts/chart.js": { type: JS, body: chartJs },
  "charts/controls.js": { type: JS, body: chartControlsJs },
  "charts/data.js": { type: JS, body: chartDataJs },
  "charts/growth.js": { type: JS, body: chartGrowthJs },
  "charts/lines.js": { type: JS, body: chartLinesJs },
  "charts/png.js": { type: JS, body: chartPngJs },
  "charts/text.js": { type: JS, body: chartTextJs },
  "charts/ticks.js": { type: JS, body: chartTicksJs },
  "compare.js": { type: JS, body: compareJs },
  "copy.js": { type: JS, body: copyJs },
  "list.js": { type: JS, body: listJs },
  "live.js": { type: JS, body: liveJs },
  "log.js": { type: JS, body: logJs },
  "run.js": { type: JS, body: runJs },
  "sections.js": { type: JS, body: sectionsJs },
  "tick.js": { type: JS, body: tickJs },
  "time_text.js": { type: JS, body: timeTextJs },
};

/** Part of every address, so that a browser may keep the files for ever and still sees new ones at once. */
const VERSION = sha256(Object.values(ASSETS).map(({ body }) => body).join("\0")).slice(0, 12);

export function assetPath(name: string): string {
  return `/static/${VERSION}/${name}`;
}

/** The asset of that name and version. */
export function asset(version: string, name: string) {
  return version === VERSION && Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined;
}
