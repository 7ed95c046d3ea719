import { uplotCss, uplotJs } from "../src/deps/uplot.ts";
import chartJs from "./static/chart.js" with { type: "text" };
import compareJs from "./static/compare.js" with { type: "text" };
import listCss from "./static/list.css" with { type: "text" };
import listJs from "./static/list.js" with { type: "text" };
import chartsCss from "./static/charts.css" with { type: "text" };
import controlsCss from "./static/controls.css" with { type: "text" };
import frameCss from "./static/frame.css" with { type: "text" };
import iconSvg from "./static/icon.svg" with { type: "text" };
import liveJs from "./static/live.js" with { type: "text" };
import runCss from "./static/run.css" with { type: "text" };
import runJs from "./static/run.js" with { type: "text" };
import signInCss from "./static/sign_in.css" with { type: "text" };
import tablesCss from "./static/tables.css" with { type: "text" };
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
  signInCss,
];

/** The scripts and styles of the pages: they are part of the program and never read from disk. */
const ASSETS: Readonly<Record<string, { readonly type: string; readonly body: string }>> = {
  "style.css": { type: CSS, body: STYLES.join("\n") },
  // As a module it needs a name to be imported by. Its licence (MIT) comes with the package.
  "uplot.js": { type: JS, body: `${uplotJs}\nexport default uPlot;\n` },
  "icon.svg": { type: "image/svg+xml", body: iconSvg.replace("BAR", COLORS.bar[0]) },
  "chart.js": { type: JS, body: chartJs },
  "compare.js": { type: JS, body: compareJs },
  "list.js": { type: JS, body: listJs },
  "live.js": { type: JS, body: liveJs },
  "run.js": { type: JS, body: runJs },
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
