// deno-lint-ignore-file no-console -- a program of its own
/**
 * The pictures of README and docs, from the latest run, which should be of the demo: its report in a terminal, and its
 * page. Needs Chromium, and `script` (util-linux) for a terminal.
 *
 *     deno task run pipelines/lora.yaml
 *     deno run -A tools/pictures.ts [--runs DIR]
 */
import { join } from "../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import { parseArgs } from "../src/deps/cli.ts";
import { serveRuns, THEMES, Visitor } from "../tests/browser/kit.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SHOW = ["show", "last", "--predictions", "1"];
const COLUMNS = 104;
/** The terminal is drawn at twice its size, for screens with small pixels. */
const VIEW = { viewport: { width: 860, height: 700 }, deviceScaleFactor: 2 };

/** As much of the run's page as shows the scores, the steps and the loss. */
const SHOWN = { width: 1180, height: 1240 };
const SCROLLBAR = 15;

interface Style {
  readonly bold: boolean;
  readonly color: string | undefined;
}

const PLAIN: Style = { bold: false, color: undefined };
/** Colours by SGR number: the class of a span. */
const COLORS: Readonly<Record<number, string>> = {
  31: "bad",
  32: "good",
  33: "warn",
  34: "accent",
  35: "accent",
  36: "accent",
  90: "soft",
};

/** What a command prints to a terminal of this width, colours and all. */
async function printed(args: readonly string[], cwd: string): Promise<string> {
  const words = ["stty", "cols", `${COLUMNS}`, "rows", "60", ";", `"${Deno.execPath()}"`, ...args].join(" ");
  const { stdout } = await new Deno.Command("script", {
    args: ["-q", "-e", "-c", words, "/dev/null"],
    cwd,
    env: { TERM: "xterm-256color", NO_COLOR: "" },
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout).replaceAll("\r", "");
}

/** Text with SGR sequences as spans; other sequences are dropped. */
function spans(text: string): string {
  let style = PLAIN;
  // deno-lint-ignore no-control-regex
  return text.split(/(\x1b\[[0-9;?]*[A-Za-z])/).map((piece) => {
    // deno-lint-ignore no-control-regex
    const [, codes, kind] = /^\x1b\[([0-9;?]*)([A-Za-z])$/.exec(piece) ?? [];
    if (codes === undefined) return span(piece, style);
    if (kind === "m") { for (const code of codes.split(";").map(Number)) style = styled(style, code); }
    return "";
  }).join("");
}

function styled(style: Style, code: number): Style {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, color: "soft" };
  if (code === 22) return PLAIN;
  if (code === 39) return { ...style, color: undefined };
  const color = COLORS[code];
  return color === undefined ? style : { ...style, color };
}

function span(text: string, { bold, color }: Style): string {
  const shown = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const names = [...bold ? ["bold"] : [], ...color === undefined ? [] : [color]];
  return names.length === 0 || text === "" ? shown : `<span class="${names.join(" ")}">${shown}</span>`;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2024; --soft: #6a6f78; --page: #fbfbfc; --line: #d9dbe0; --bar: #eceef1;
  --good: #1a7f4b; --warn: #9a5b00; --bad: #b42318; --accent: #2f62c4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #9299a4; --page: #15171a; --line: #363a42; --bar: #1f2226;
  --good: #5fd39b; --warn: #f1b45f; --bad: #ff8f85; --accent: #8db0f7; } }
body { margin: 0; padding: 0; background: transparent; }
figure { margin: 0; display: inline-block; background: var(--page); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
header { background: var(--bar); padding: 9px 12px; display: flex; gap: 7px; border-bottom: 1px solid var(--line); }
i { width: 11px; height: 11px; border-radius: 50%; background: var(--line); }
pre { margin: 0; padding: 14px 18px 16px; color: var(--ink); font: 12.5px/1.45 "DejaVu Sans Mono", ui-monospace, monospace; }
.bold { font-weight: 700; } .soft { color: var(--soft); } .good { color: var(--good); } .warn { color: var(--warn); }
.bad { color: var(--bad); } .accent { color: var(--accent); }`;

function terminalPage(text: string): string {
  return `<!doctype html><meta charset="utf-8"><style>${STYLE}</style><figure><header><i></i><i></i><i></i></header>` +
    `<pre><span class="soft">$</span> <span class="bold">deno task ${SHOW.join(" ")}</span>\n${
      spans(text.trimEnd())
    }</pre></figure>`;
}

const { values } = parseArgs({ options: { runs: { type: "string", default: "runs" } } });
const runs = values.runs;
const text = await printed(["task", "-q", ...SHOW, "--runs", runs], ROOT);
await using site = await serveRuns(ROOT, runs);
await using visitor = await Visitor.open(site);
const [run] = await (await fetch(`${site.url}/api/runs`)).json() as { id: string }[];
if (!run) throw new Error(`Cannot make pictures: no run in ${runs}`);
for (const theme of THEMES) {
  const terminal = await visitor.page({ ...VIEW, colorScheme: theme });
  await terminal.setContent(terminalPage(text));
  await terminal.locator("figure").screenshot({
    path: join(ROOT, `docs/terminal-${theme}.png`),
    omitBackground: true,
  });
  const page = await visitor.page({
    viewport: { width: SHOWN.width + SCROLLBAR, height: SHOWN.height },
    colorScheme: theme,
  });
  await page.goto(`${site.url}/runs/${run.id}`);
  await page.evaluate("new Promise((done) => setTimeout(done, 500))");
  await page.screenshot({
    path: join(ROOT, `docs/status-page-${theme}.png`),
    clip: { x: 0, y: 0, ...SHOWN },
  });
}
console.log(`docs/terminal-{${THEMES}}.png, docs/status-page-{${THEMES}}.png`);
