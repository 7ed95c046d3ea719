import type { JsonObject } from "../../../lib/json/json.ts";
import type { SubmitWork } from "../../provider.ts";
import { CallError } from "../service.ts";

export interface Creation<T> {
  /** Tells this creation's records from others: "file <sha256>", JOB. */
  readonly what: string;
  readonly phase: string;
  /** What there is already and counts as created. `intent`: what was known before an interrupted try. */
  readonly find: (intent: JsonObject | undefined) => Promise<T | undefined>;
  /** What is known now, for `find` after an interruption. */
  intent(): Promise<JsonObject>;
  /** Makes the one call that costs. */
  create(): Promise<T>;
  readonly settleMs: number;
}

/** `what` of the one creation that is paid for. */
export const JOB = "job";
const LOOK_MS = 2_000;

/** The last try of a creation, unless the service is known to have refused it. */
export function pendingIntent(records: readonly JsonObject[], what: string): JsonObject | undefined {
  const intent = records.findLastIndex((record) => record["intent"] === what);
  const refused = records.findLastIndex((record) => record["refused"] === what);
  return intent > refused ? records[intent] : undefined;
}

/**
 * Creates something at a service that creates anew for each call: looks first, writes down that it is about to call,
 * and calls once. When the answer is lost, or the process dies before it comes, it looks again for as long as the
 * service may take to show what was created, and never calls twice in the dark.
 */
export async function createOnce<T>(work: SubmitWork, creation: Creation<T>): Promise<T> {
  const { clock, records } = work;
  const { what, phase, settleMs } = creation;
  const pending = pendingIntent(records, what);
  if (pending) {
    const since = typeof pending["at"] === "number" ? pending["at"] : clock.now();
    const found = await look(work, creation, pending, Math.min(settleMs, since + settleMs - clock.now()));
    if (found !== undefined) return found;
  } else {
    const found = await creation.find(undefined);
    if (found !== undefined) return found;
  }
  const intent = { intent: what, at: clock.now(), ...await creation.intent() };
  await work.record(intent, { phase });
  try {
    return await creation.create();
  } catch (thrown) {
    if (!(thrown instanceof CallError)) throw thrown;
    if (!thrown.unsure) {
      await work.record({ refused: what, at: clock.now() }, { phase, message: thrown.error.message });
      throw thrown.error;
    }
    work.progress({ phase, message: `${thrown.error.message}; looking whether it was done` });
    const found = await look(work, creation, intent, settleMs);
    if (found !== undefined) return found;
    throw thrown;
  }
}

/** Looks once, and again until `ms` have passed. */
async function look<T>(
  { clock, signal }: SubmitWork,
  { find }: Creation<T>,
  intent: JsonObject,
  ms: number,
): Promise<T | undefined> {
  const deadline = clock.monotonic() + ms;
  while (true) {
    const found = await find(intent);
    const left = deadline - clock.monotonic();
    if (found !== undefined || left <= 0) return found;
    await clock.sleep(Math.min(LOOK_MS, left), signal);
  }
}
