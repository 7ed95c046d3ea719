import { join } from "node:path";
import { ABILITIES } from "../../providers/abilities.ts";
import type { SourceFile } from "../extract/source_file.ts";
import type { SetName } from "../extract/sources.ts";
import type { StepContext } from "../step.ts";
import { Accounting } from "./accounting.ts";
import { compareRows } from "./compare.ts";
import { Converter } from "./converter.ts";
import { exampleOf, type ExampleOptions } from "./example.ts";
import { Findings } from "./findings.ts";
import { firstRows, parseRow, readRowLines, type SourceRow } from "./rows.ts";
import { type Choice, chooseShape, refuseUnknownField, SAMPLE_ROWS } from "./shapes.ts";
import { Sides } from "./sides.ts";
import { openSplitter, type Splitter } from "./split.ts";

const ROW_FILES: { readonly [S in SetName]: string } = { train: "rows.jsonl", eval: "eval.jsonl" };
const PROGRESS_ROWS = 50_000;

/** One pass over all rows, and what it showed. */
export class Formatting {
  readonly #context: StepContext;
  readonly #total: number;
  readonly #options: ExampleOptions & { readonly leakage: boolean };
  #splitter: Splitter | undefined;
  #done = 0;
  readonly findings: Findings;
  readonly sides: Sides;
  readonly choices: { readonly train: Choice; readonly eval?: Choice };
  readonly accounting = new Accounting();

  private constructor(
    context: StepContext,
    sources: readonly SourceFile[],
    sides: Sides,
    choices: { readonly train: Choice; readonly eval?: Choice },
  ) {
    const { split, checks } = context.loaded.spec.dataset;
    const leakage = checks.leakage !== "off" && (choices.eval !== undefined || split !== undefined);
    this.#context = context;
    this.#total = sources.reduce((sum, { rows }) => sum + rows, 0);
    this.#options = { checks, leakage, inputs: leakage || split !== undefined };
    this.findings = new Findings(checks);
    this.sides = sides;
    this.choices = choices;
  }

  static async open(context: StepContext, sources: readonly SourceFile[]): Promise<Formatting> {
    const { fs, out, loaded: { spec: { dataset } } } = context;
    const extracted = context.input("extract");
    const hasEval = sources.some(({ set }) => set === "eval");
    const train = await firstRows(join(extracted, ROW_FILES.train), fs, SAMPLE_ROWS);
    const choices = {
      train: chooseShape(dataset, "dataset.source", train),
      ...hasEval && {
        eval: chooseShape(
          dataset,
          "dataset.eval",
          await firstRows(join(extracted, ROW_FILES.eval), fs, SAMPLE_ROWS),
        ),
      },
    };
    const by = dataset.split?.by;
    if (by !== undefined) refuseUnknownField("dataset.split.by", by, "dataset.source", train);
    const sides = await Sides.open(out, context, hasEval || dataset.split !== undefined);
    const formatting = new Formatting(context, sources, sides, choices);
    await formatting.#openSplitter();
    return formatting;
  }

  async run(): Promise<void> {
    await this.#readSet("train", this.choices.train);
    await this.#splitter?.finish();
    if (this.choices.eval) await this.#readSet("eval", this.choices.eval);
    await this.sides.finish();
    await compareRows(this.sides, this.findings, this.#context.out, this.#context.fs);
  }

  async #openSplitter(): Promise<void> {
    const { out, loaded: { spec: { dataset: { split } } } } = this.#context;
    if (!split) return;
    this.#splitter = await openSplitter(split, out, this.#context, {
      put: (set, example) => this.sides.put(set, example, this.#options.leakage),
      drain: () => this.sides.drain(),
    });
  }

  /** Also after a failure. */
  async close(): Promise<void> {
    await this.#splitter?.remove();
    await this.sides.close();
  }

  async #readSet(set: SetName, { shape }: Choice): Promise<void> {
    const { fs, signal, loaded: { spec } } = this.#context;
    const by = set === "train" ? spec.dataset.split?.by : undefined;
    const abilities = ABILITIES[spec.provider.kind];
    const converter = new Converter(shape, abilities, this.findings, by, this.accounting);
    for await (const lines of readRowLines(join(this.#context.input("extract"), ROW_FILES[set]), fs)) {
      for (const line of lines) this.#place(set, parseRow(line), converter, by);
      if (set === "train" && this.#splitter) await this.#splitter.drain();
      else await this.sides.drain();
      signal.throwIfAborted();
      this.#tell(lines.length);
    }
  }

  #place(set: SetName, { origin, row }: SourceRow, converter: Converter, by: string | undefined): void {
    const conversation = converter.convert(origin, row);
    if (!conversation) return;
    const example = exampleOf(origin, conversation, this.#options);
    if (set === "eval" || !this.#splitter) return this.sides.put(set, example, this.#options.leakage);
    const key = by === undefined ? example.input : converter.groupOf(origin, row, by);
    if (key !== undefined) this.#splitter.add(key, example);
  }

  #tell(rows: number): void {
    const before = Math.floor(this.#done / PROGRESS_ROWS);
    this.#done += rows;
    if (Math.floor(this.#done / PROGRESS_ROWS) === before) return;
    this.#context.progress({ phase: "checking rows", done: this.#done, total: this.#total, unit: "rows" });
  }
}
