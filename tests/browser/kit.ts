// deno-lint-ignore-file no-console -- says which tests are skipped, and why
/** What the browser tests share: a real Chromium, the real server, and what must hold on every page. */
import axe from "axe-core";
import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { findProgram } from "../../src/lib/find_program.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { ROOT } from "../commands/cli_kit.ts";
import { serve } from "../server/serve.ts";

const ENV = { fs: denoFs, env: Deno.env.toObject() };
const PROGRAM = Deno.env.get("TEMPER_TEST_CHROMIUM") ?? await findProgram("chromium", ENV) ??
  await findProgram("google-chrome", ENV);
export const WITHOUT_BROWSER = PROGRAM === undefined;
if (WITHOUT_BROWSER) {
  console.warn("skipped: no chromium on the PATH and none in TEMPER_TEST_CHROMIUM");
}

/** Where the screenshots go, to be looked at. */
const SCREENSHOTS = join(ROOT, ".temper", "screenshots");

export const THEMES = ["light", "dark"] as const;
export const WIDTHS = [390, 1280] as const;

export interface Site extends AsyncDisposable {
  readonly url: string;
}

/** The status page's real server over a folder of runs. */
export async function serveRuns(cwd: string, runs: string): Promise<Site> {
  const serving = await serve(runs, { cwd });
  return { url: new URL(serving.url).origin, [Symbol.asyncDispose]: () => serving[Symbol.asyncDispose]() };
}

/** A browser over one site. It keeps what a page must never do: complain, call elsewhere, be refused something. */
export class Visitor implements AsyncDisposable {
  readonly faults: string[] = [];
  private constructor(private readonly browser: Browser, readonly site: Site) {}

  /** `args` of Chromium. */
  static async open(site: Site, args: readonly string[] = []): Promise<Visitor> {
    const browser = await chromium.launch({ executablePath: PROGRAM!, args: ["--no-sandbox", ...args] });
    return new Visitor(browser, site);
  }

  async page(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.faults.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.faults.push(`script: ${error.message}`));
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== this.site.url) this.faults.push(`elsewhere: ${request.url()}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) this.faults.push(`${response.status()}: ${response.url()}`);
    });
    return page;
  }

  async [Symbol.asyncDispose]() {
    await this.browser.close();
  }
}

/** Looks at a page as it is in both themes and at both widths: a screenshot each, and what must hold in all four. */
export async function lookAt(page: Page, name: string): Promise<void> {
  for (const theme of THEMES) {
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme: theme });
      await page.setViewportSize({ width, height: 900 });
      // The charts are drawn anew when their frames change.
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
      await denoFs.mkdirp(SCREENSHOTS);
      await page.screenshot({
        path: join(SCREENSHOTS, `${name}-${theme}-${width}.png`),
        fullPage: true,
      });
      const over = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth",
      );
      assert.ok(
        over as number <= 0,
        `${name}, ${theme}, ${width} px: the page is ${over} px wider than the window`,
      );
      assert.deepEqual(await violations(page), [], `${name}, ${theme}, ${width} px`);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 900 });
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** What axe-core finds against WCAG 2.2 A and AA. Evaluated by the debugger, so the page's own policy stays as it is. */
export async function violations(page: Page): Promise<string[]> {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  if (!await page.evaluate("typeof axe === 'object'")) await page.evaluate(axe.source);
  const found = await page.evaluate(
    `axe.run(document, { runOnly: { type: "tag", values: ${JSON.stringify(tags)} } })`,
  ) as AxeResult;
  return found.violations.map(({ id, impact, nodes: [first, ...more] }) =>
    `${id} (${impact}): ${first?.html}, and ${more.length} more\n${first?.failureSummary}`
  );
}

/** Steps that a chart has drawn, read as its reader would: by walking along it with the arrow keys. */
export async function stepsOf(page: Page, chart: string): Promise<number[]> {
  return await page.evaluate(`(() => {
    const figure = document.querySelector("figure[data-chart=${chart}]");
    const frame = figure.querySelector(".plot");
    const press = (key) => frame.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
    const read = () => Number(/^step ([\\d,]+)/.exec(figure.querySelector(".hover").textContent)[1].replaceAll(",", ""));
    press("Home");
    const steps = [read()];
    for (let i = 1; i < Number(figure.dataset.points); i++) {
      press("ArrowRight");
      steps.push(read());
    }
    return steps;
  })()`) as number[];
}
