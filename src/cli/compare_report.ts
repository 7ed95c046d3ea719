import { join, resolve } from "../deps/path.ts";
import { EXIT, type ExitCode } from "../lib/errors.ts";
import type { RunState } from "../log/state.ts";
import type { CellRun } from "../run/run_cells.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { type CellInput, compareCells, type Comparison } from "../ui/compare/comparison.ts";
import { comparisonHtml } from "../ui/compare/compare_html.ts";
import { comparisonJson } from "../ui/compare/compare_json.ts";
import { comparisonLines } from "../ui/compare/compare_text.ts";
import { temperCommand } from "../view/next_commands.ts";
import { createPalette } from "../ui/palette.ts";
import type { CommandContext } from "./command.ts";
import { placeOf } from "./run_view.ts";

export const PAGE = "compare.html";
export const DATA = "compare.json";

/** What is known of the cells so far, on disk after each run and printed at the end. */
export class CompareReport {
  /** By name. */
  readonly #inputs: Map<string, CellInput>;
  readonly #codes: ExitCode[] = [];
  readonly #dir: string;

  constructor(
    private readonly context: CommandContext,
    private readonly name: string,
    cells: readonly LoadedSpec[],
  ) {
    this.#inputs = new Map(cells.map((cell) => [cell.spec.name, inputOf(cell)]));
    this.#dir = resolve(context.cwd, context.values["runs"] as string, name);
  }

  /** What an earlier call left of a cell, until its turn comes. */
  earlier(loaded: LoadedSpec, state: RunState | undefined): void {
    this.#set(loaded, { state, error: state?.error });
  }

  /** Kept at once, so that the page grows while the others train. */
  async add({ loaded, outcome, error }: CellRun): Promise<void> {
    const { fs } = this.context;
    this.#codes.push(outcome?.exitCode ?? EXIT.failed);
    this.#set(loaded, { state: outcome?.state, error: outcome?.state.error ?? error });
    const comparison = this.#comparison();
    await fs.mkdirp(this.#dir);
    await fs.writeAtomic(join(this.#dir, DATA), `${JSON.stringify(comparisonJson(comparison), null, 2)}\n`);
    await fs.writeAtomic(join(this.#dir, PAGE), comparisonHtml(comparison));
  }

  get exitCode(): ExitCode {
    if (this.#codes.includes(EXIT.interrupted)) return EXIT.interrupted;
    return this.#comparison().cells.every(({ state }) => state === "done") ? EXIT.ok : EXIT.failed;
  }

  /** The table for people or the document for programs; where something is left, how to go on. */
  print(): void {
    const { terminal, values, positionals } = this.context;
    const comparison = this.#comparison();
    const palette = createPalette(terminal.color);
    const place = placeOf(this.context, this.#dir, resolve(this.context.cwd, positionals[0]!), undefined);
    const files = { html: join(place.dir, PAGE), json: join(place.dir, DATA) };
    if (values["json"]) {
      terminal.out(`${JSON.stringify({ ...comparisonJson(comparison), ...files }, null, 2)}\n`);
      return;
    }
    const lines = comparisonLines(comparison, palette, terminal.columns("out"));
    const again = temperCommand(place, "compare", place.file, ...place.runOptions);
    const why = whatIsLeft(comparison);
    const next = why === undefined ? [] : [`${palette.dim(why)}  ${palette.accent(again)}`];
    terminal.out(["", ...lines, "", `${palette.dim("Page")}  ${files.html}`, ...next, ""].join("\n"));
  }

  #comparison(): Comparison {
    return compareCells(this.name, [...this.#inputs.values()]);
  }

  #set({ spec }: LoadedSpec, { state, error }: Pick<CellInput, "state" | "error">): void {
    const kept = error &&
      { code: error.code, message: error.message, ...error.hint !== undefined && { hint: error.hint } };
    this.#inputs.set(spec.name, { ...this.#inputs.get(spec.name)!, state, error: kept });
  }
}

function inputOf({ spec, cell }: LoadedSpec): CellInput {
  return {
    cell: cell?.label ?? spec.name,
    name: spec.name,
    method: spec.method.kind,
    values: cell?.values ?? {},
    state: undefined,
    error: undefined,
  };
}

function whatIsLeft({ cells }: Comparison): string | undefined {
  if (cells.every(({ state }) => state === "done")) return undefined;
  return cells.every(({ state, error }) => state === "done" || error)
    ? "Try again what failed"
    : "Go on with the rest";
}
