// deno-lint-ignore-file no-console -- what a proof has tried is for whoever runs it
import assert from "../deps/assert.ts";
import { denoFs, sha256 } from "../../src/lib/files/fs.ts";
import { randomFrom } from "../run/kit.ts";

/** How long the loops go on. The other proofs try everything there is, however long that takes. */
export const SECONDS = Number(Deno.env.get("TEMPER_CRASH_SECONDS") ?? 10);
/** Brings every random choice back. */
export const SEED = Number(
  Deno.env.get("TEMPER_CRASH_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0],
);

/** What was done to runs, each with the name it has in the last line of `deno task test:crash`. */
export const COUNTED = ["kills", "resumes", "cuts", "failed writes", "power losses"] as const;
export type Counted = (typeof COUNTED)[number];

/** One line of the file that TEMPER_CRASH_TALLY names. */
export type Tally = Readonly<Partial<Record<Counted | "violations", number>>>;

const MOST_VIOLATIONS = 5;

/** Counts what one proof tries. It goes on after a violation, so that one run shows how far a fault reaches. */
export class Proof {
  readonly #counts: Partial<Record<Counted | "violations", number>> = {};
  readonly #violations: Error[] = [];
  readonly random = this.randomFor("");

  private constructor(readonly name: string) {}

  /** Random numbers of one part, whatever the other parts do meanwhile. */
  randomFor(part: string): () => number {
    return randomFrom(parseInt(sha256(`${this.name} ${part} ${SEED}`).slice(0, 8), 16));
  }

  /** Runs `tries` and says at the end what was tried; fails when anything was violated. */
  static async run(name: string, tries: (proof: Proof) => Promise<void>): Promise<void> {
    const proof = new Proof(name);
    try {
      await tries(proof);
    } catch (error) {
      proof.violated("it could not go on", error);
    }
    await proof.#end();
  }

  count(what: Counted, times = 1): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + times;
  }

  /** One try. `replay` says which one it was, should it fail. */
  async try(replay: string, act: () => Promise<void>): Promise<void> {
    assert(this.#violations.length < MOST_VIOLATIONS, "this is broken: giving up");
    try {
      await act();
    } catch (error) {
      this.violated(replay, error);
    }
  }

  violated(replay: string, cause: unknown): void {
    this.#violations.push(new Error(`${this.name}, ${replay}, --seed ${SEED}`, { cause }));
  }

  async #end(): Promise<void> {
    const found = this.#violations.length;
    if (found > 0) this.#counts.violations = found;
    const tried = Object.entries(this.#counts).map(([what, count]) => `${count} ${what}`).join(", ");
    console.log(`${this.name} (seed ${SEED}): ${tried || "nothing to count"}`);
    const tally = Deno.env.get("TEMPER_CRASH_TALLY");
    if (tally) await Deno.writeTextFile(tally, `${JSON.stringify(this.#counts)}\n`, { append: true });
    if (found > 0) throw new AggregateError(this.#violations, `${this.name}: ${found} violations`);
  }
}

/** A folder in memory where there is one: tens of thousands of runs are made in it, and no disk is asked to sync. */
export async function withFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const memory = "/dev/shm";
  const roomy = await denoFs.stat(memory) && await denoFs.freeBytes(memory) > 500_000_000;
  const dir = await Deno.makeTempDir({ prefix: "temper-crash-", ...roomy && { dir: memory } });
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
