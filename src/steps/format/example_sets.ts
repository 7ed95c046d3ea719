import { join } from "../../deps/path.ts";
import { LineWriter } from "../../lib/files/line_writer.ts";
import type { Env } from "../../providers/provider.ts";
import type { SetName } from "../extract/sources.ts";
import { DigestIndex } from "./checks/digest_index.ts";
import type { Example } from "./example.ts";
import { SetFigures } from "./report/set_figures.ts";

export const EXAMPLE_FILES: { readonly [S in SetName]: string } = {
  train: "train.jsonl",
  eval: "eval.jsonl",
};

/** The two sets as they are written, and what is needed to compare their rows afterwards. */
export class ExampleSets {
  readonly figures: { readonly [S in SetName]: SetFigures } = {
    train: new SetFigures(),
    eval: new SetFigures(),
  };
  /** Examples of each source, by set. */
  readonly used: { readonly [S in SetName]: Map<string, number> } = { train: new Map(), eval: new Map() };
  /** Rows of train by conversation. */
  readonly conversations: DigestIndex;
  /** Rows by input. */
  readonly inputs: { readonly [S in SetName]: DigestIndex };
  readonly #writers: { train: LineWriter; eval?: LineWriter };

  private constructor(out: string, { fs }: Env, writers: { train: LineWriter; eval?: LineWriter }) {
    this.#writers = writers;
    this.conversations = new DigestIndex(join(out, ".conversations"), fs);
    this.inputs = {
      train: new DigestIndex(join(out, ".train-inputs"), fs),
      eval: new DigestIndex(join(out, ".eval-inputs"), fs),
    };
  }

  static async open(out: string, env: Env, hasEval: boolean): Promise<ExampleSets> {
    const train = await LineWriter.create(join(out, EXAMPLE_FILES.train), env.fs);
    const evaluation = hasEval
      ? { eval: await LineWriter.create(join(out, EXAMPLE_FILES.eval), env.fs) }
      : {};
    return new ExampleSets(out, env, { train, ...evaluation });
  }

  /** `compareInputs`: whether the row's input counts for leakage. */
  put(set: SetName, example: Example, compareInputs: boolean): void {
    const writer = this.#writers[set];
    if (!writer) throw new RangeError(`Cannot write to ${set}: the dataset has none`);
    const row = writer.count;
    writer.add(example.line);
    this.figures[set].add(example);
    const used = this.used[set];
    used.set(example.source, (used.get(example.source) ?? 0) + 1);
    if (set === "train" && example.digest !== "") this.conversations.add(example.digest, row);
    if (compareInputs) this.inputs[set].add(example.input, row);
  }

  async drain(): Promise<void> {
    await this.#writers.train.drain();
    await this.#writers.eval?.drain();
    await this.conversations.drain();
    await this.inputs.train.drain();
    await this.inputs.eval.drain();
  }

  async finish(): Promise<void> {
    await this.#writers.train.finish();
    await this.#writers.eval?.finish();
  }

  /** Removes what was written on the way; also after a failure. */
  async close(): Promise<void> {
    await this.#writers.train.abandon();
    await this.#writers.eval?.abandon();
    await this.conversations.remove();
    await this.inputs.train.remove();
    await this.inputs.eval.remove();
  }
}
