import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "../../src/deps/path.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { TemperError } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import type { JsonObject } from "../../src/lib/json/json.ts";
import type { LoadedSpec } from "../../src/spec/load.ts";
import { Spec } from "../../src/spec/schema/schema.ts";
import { extract } from "../../src/steps/extract.ts";
import { format } from "../../src/steps/format.ts";
import type { StepContext, StepKind } from "../../src/steps/step.ts";

/** A folder with files, and the first steps of a pipeline over them. Removed when it goes out of scope. */
export class Bench implements AsyncDisposable {
  private constructor(readonly dir: string) {}

  static async open(files: Record<string, string | Uint8Array> = {}): Promise<Bench> {
    const bench = new Bench(await mkdtemp(join(tmpdir(), "temper-data-")));
    for (const [name, content] of Object.entries(files)) await bench.write(name, content);
    return bench;
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    await denoFs.mkdirp(join(this.dir, name, ".."));
    await denoFs.writeAtomic(join(this.dir, name), content);
  }

  get env() {
    return { fs: denoFs, clock: systemClock, cacheDir: join(this.dir, "cache"), env: {} };
  }

  pipeline(dataset: Record<string, unknown>, provider: Record<string, unknown> = LOCAL): LoadedSpec {
    const spec = Spec.parse({ version: 1, name: "test", dataset, method: { kind: "lora" }, provider });
    return { spec, path: join(this.dir, "pipeline.yaml"), dir: this.dir, text: "" };
  }

  async extract(loaded: LoadedSpec, signal?: AbortSignal): Promise<JsonObject> {
    return (await extract.run(await this.#context("extract", loaded, signal))).summary;
  }

  async format(loaded: LoadedSpec): Promise<JsonObject> {
    await this.extract(loaded);
    return (await format.run(await this.#context("format", loaded))).summary;
  }

  /** The lines of an output file, parsed. */
  // deno-lint-ignore no-explicit-any -- what is in them is what the tests are about
  async lines(kind: StepKind, file: string): Promise<any[]> {
    const text = await denoFs.readText(join(this.dir, "out", kind, file));
    return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  }

  // deno-lint-ignore no-explicit-any -- as above
  async report(): Promise<any> {
    return JSON.parse(await denoFs.readText(join(this.dir, "out", "format", "report.json")));
  }

  async #context(
    kind: StepKind,
    loaded: LoadedSpec,
    signal = new AbortController().signal,
  ): Promise<StepContext> {
    const out = join(this.dir, "out", kind);
    await denoFs.remove(out);
    await denoFs.mkdirp(out);
    return {
      ...this.env,
      loaded,
      out,
      key: "0".repeat(64),
      runId: "run",
      runDir: this.dir,
      signal,
      job: undefined,
      records: [],
      record: () => Promise.resolve(),
      progress: () => {},
      submitted: () => Promise.resolve(),
      input: (step) => join(this.dir, "out", step),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await denoFs.remove(this.dir);
  }
}

const LOCAL = { kind: "local", base: "builtin:smollm2-135m-instruct" };

/** One JSON object a line. */
export function jsonl(rows: readonly unknown[]): string {
  return rows.map((row) => JSON.stringify(row) + "\n").join("");
}

/** The error that `action` must end in. */
export async function refusal(action: Promise<unknown>): Promise<TemperError> {
  try {
    await action;
  } catch (error) {
    if (error instanceof TemperError) return error;
    throw error;
  }
  throw new Error("Nothing was refused");
}
