import { TemperError } from "../../../lib/errors.ts";
import type { SubmitWork } from "../../provider.ts";
import { CallError, GaveUpError } from "../service.ts";
import { type Intent, pendingIntent, writeRecord } from "./records.ts";

export interface Creation<T> {
  /** Names this creation in the records: "file <sha256>", JOB. */
  readonly what: string;
  readonly phase: string;
  /** What is in doubt when the answer is lost: "the job was started". */
  readonly effect: string;
  /** What exists already and counts as created. `intent`: what was recorded before an interrupted try. */
  readonly find: (intent: Intent | undefined) => Promise<T | undefined>;
  /** What is known before the call, for `find` after an interruption. */
  intent(): Promise<Omit<Intent, "intent" | "at">>;
  /** Makes the one call that creates. */
  create(): Promise<T>;
  readonly settleMs: number;
}

/** `what` of the creation that costs money. */
export const JOB = "job";
const LOOK_MS = 2_000;

/**
 * Creates something at a service that creates another one for each call: looks first, records that it is about to call,
 * and calls once. When the answer is lost, or the process dies before it arrives, it looks again for as long as the
 * service may take to list what was created. It never calls again while it is unknown whether the first call worked:
 * not before the service has answered a look at the end of that time.
 */
export async function createOnce<T>(work: SubmitWork, creation: Creation<T>): Promise<T> {
  const { clock, records } = work;
  const { what, phase, settleMs } = creation;
  const pending = pendingIntent(records, what);
  if (pending) {
    const left = pending.at + settleMs - clock.now();
    const found = await look(work, creation, pending, Math.min(settleMs, left));
    if (found !== undefined) return found;
  } else {
    const found = await creation.find(undefined);
    if (found !== undefined) return found;
  }
  const intent: Intent = { intent: what, at: clock.now(), ...await creation.intent() };
  await writeRecord(work, intent, { phase });
  try {
    return await creation.create();
  } catch (thrown) {
    if (!(thrown instanceof CallError)) throw thrown;
    if (!thrown.unsure) {
      await writeRecord(work, { refused: what, at: clock.now() }, { phase, message: thrown.error.message });
      throw thrown.error;
    }
    work.progress({ phase, message: `${thrown.error.message}; checking whether it was created` });
    const found = await look(work, creation, intent, settleMs);
    if (found !== undefined) return found;
    throw thrown;
  }
}

/** Looks once, and again until `ms` have passed. Throws when the service does not answer the last look. */
async function look<T>(
  { clock, signal }: SubmitWork,
  { find, effect }: Creation<T>,
  intent: Intent,
  ms: number,
): Promise<T | undefined> {
  const deadline = clock.monotonic() + ms;
  while (true) {
    const found = await find(intent).catch((error) => {
      if (error instanceof GaveUpError) return error;
      throw error;
    });
    const left = deadline - clock.monotonic();
    if (found instanceof GaveUpError) {
      if (left <= 0) throw inDark(effect, found);
    } else if (found !== undefined || left <= 0) return found;
    await clock.sleep(Math.min(LOOK_MS, left), signal);
  }
}

function inDark(effect: string, cause: GaveUpError): TemperError {
  return new TemperError("ambiguous-submit", `Cannot tell whether ${effect}: ${cause.message}`, {
    hint:
      "Run the same command again once the service answers: it looks first, and creates only what is not there",
    staysOpen: true,
    cause,
  });
}
