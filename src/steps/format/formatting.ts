import { join } from "../../deps/path.ts";
import type { SourceFile } from "../extract/source_file.ts";
import type { SetName } from "../extract/sources.ts";
import type { DataContext } from "../step.ts";
import { Accounting } from "./report/accounting.ts";
import { compareRows } from "./checks/compare_rows.ts";
import { exampleOf, type ExampleOptions } from "./example.ts";
import { Findings } from "./checks/findings.ts";
import { chooseShapes, type DatasetShapes, ROW_FILES, type SetShapes } from "./shapes/file_shapes.ts";
import { RowReader } from "./row_reader.ts";
import { readRowLines } from "./source_rows.ts";
import { ExampleSets } from "./example_sets.ts";
import { openSplitter, type Splitter } from "./split.ts";

const PROGRESS_ROWS = 50_000;

/** One pass over all rows, and what it showed. */
export class Formatting {
  readonly #context: DataContext;
  readonly #total: number;
  /** Whether all rows were read. */
  readonly #isWhole: boolean;
  readonly #options: ExampleOptions & { readonly leakage: boolean };
  #splitter: Splitter | undefined;
  #done = 0;
  readonly findings: Findings;
  readonly sets: ExampleSets;
  readonly shapes: DatasetShapes;
  readonly accounting = new Accounting();

  private constructor(
    context: DataContext,
    sources: readonly SourceFile[],
    sets: ExampleSets,
    shapes: DatasetShapes,
  ) {
    const { split, checks } = context.loaded.spec.dataset;
    const leakage = checks.leakage !== "off" && (shapes.eval !== undefined || split !== undefined);
    this.#context = context;
    this.#total = sources.reduce((sum, { rows }) => sum + rows, 0);
    this.#isWhole = sources.every(({ sha256 }) => sha256 !== "");
    this.#options = { checks, leakage, inputs: leakage || split !== undefined };
    this.findings = new Findings(checks);
    this.sets = sets;
    this.shapes = shapes;
  }

  static async open(context: DataContext, sources: readonly SourceFile[]): Promise<Formatting> {
    const { out, loaded: { spec: { dataset } } } = context;
    const shapes = await chooseShapes(context, sources);
    const hasEval = shapes.eval !== undefined;
    const sets = await ExampleSets.open(out, context, hasEval || dataset.split !== undefined);
    const formatting = new Formatting(context, sources, sets, shapes);
    await formatting.#openSplitter();
    return formatting;
  }

  async run(): Promise<void> {
    await this.#readSet("train", this.shapes.train);
    await this.#splitter?.finish();
    if (this.shapes.eval) await this.#readSet("eval", this.shapes.eval);
    await this.sets.finish();
    // The rows that were not read may have it.
    if (this.#isWhole) {
      for (const [roles, { name, path }] of this.shapes.roles) roles.refuseUnseen(name, path);
    }
    await compareRows(this.sets, this.findings, this.#context.out, this.#context.fs);
  }

  async #openSplitter(): Promise<void> {
    const { out, loaded: { spec: { dataset: { split } } } } = this.#context;
    if (!split) return;
    this.#splitter = await openSplitter(split, out, this.#context, {
      put: (set, example) => this.sets.put(set, example, this.#options.leakage),
      drain: () => this.sets.drain(),
    });
  }

  /** Also after a failure. */
  async close(): Promise<void> {
    await this.#splitter?.remove();
    await this.sets.close();
  }

  async #readSet(set: SetName, shapes: SetShapes): Promise<void> {
    const { fs, signal } = this.#context;
    const reader = new RowReader(this.#context, set, shapes, this);
    for await (const lines of readRowLines(join(this.#context.input("extract"), ROW_FILES[set]), fs)) {
      for (const line of lines) this.#place(set, line, reader);
      if (set === "train" && this.#splitter) await this.#splitter.drain();
      else await this.sets.drain();
      signal.throwIfAborted();
      this.#tell(lines.length);
    }
  }

  #place(set: SetName, line: string, reader: RowReader): void {
    const read = reader.read(line);
    if (!read) return;
    const example = exampleOf(read.origin, read.conversation, this.#options);
    if (set === "eval" || !this.#splitter) return this.sets.put(set, example, this.#options.leakage);
    const key = reader.groupOf(read, example);
    if (key !== undefined) this.#splitter.add(key, example);
  }

  #tell(rows: number): void {
    const before = Math.floor(this.#done / PROGRESS_ROWS);
    this.#done += rows;
    if (Math.floor(this.#done / PROGRESS_ROWS) === before) return;
    this.#context.progress({ phase: "checking rows", done: this.#done, total: this.#total, unit: "rows" });
  }
}
