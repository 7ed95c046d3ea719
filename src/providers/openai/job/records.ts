import { z } from "../../../deps/zod.ts";
import { TemperError } from "../../../lib/errors.ts";
import type { JsonObject } from "../../../lib/json/json.ts";
import type { Progress, Work } from "../../provider.ts";

const time = z.number();
/** Most characters of a record in a message. */
const CHARS = 200;

/** A creation is about to be called. The rest helps to recognise what it makes. */
const intent = z.object({
  intent: z.string(),
  at: time,
  name: z.string().optional(),
  bytes: z.int().optional(),
  suffix: z.string().optional(),
  training_file: z.string().optional(),
  /** Ids of the jobs that look like the new one and are older. */
  known: z.array(z.string()).optional(),
});
/** The service is known to have refused a creation. */
const refused = z.object({ refused: z.string(), at: time });
const uploaded = z.object({ uploaded: z.string(), id: z.string() });
/** An upload in parts was opened; `begun` is the file's digest. */
const begun = z.object({ begun: z.string(), id: z.string(), at: time });
const part = z.object({ upload: z.string(), part: z.int(), id: z.string() });
/** An event of the job was written to the log. */
const event = z.object({ event: z.string() });
/** How often a call has failed in a row; 0 once it succeeded. */
const failures = z.object({ call: z.string(), failures: z.int() });

const record = z.union([intent, refused, uploaded, begun, part, event, failures]);
/** What the steps of a hosted job record for the process that resumes them. */
export type HostedRecord = z.infer<typeof record>;
export type Intent = z.infer<typeof intent>;

/** The records of a step that this version knows, oldest first. */
function readRecords(records: readonly JsonObject[]): HostedRecord[] {
  return records.flatMap((value) => record.safeParse(value).data ?? []);
}

/** Before a job is created or cancelled: ignoring a record of another version could cost a second job. */
export function refuseUnknown(records: readonly JsonObject[]): void {
  const unknown = records.find((value) => !record.safeParse(value).success);
  if (!unknown) return;
  throw new TemperError(
    "unknown-record",
    `Cannot tell whether a job was started: the run's log has a record that this version does not know: ${
      JSON.stringify(unknown).slice(0, CHARS)
    }`,
    { hint: "Use the version of temper that wrote this run", staysOpen: true },
  );
}

/** Makes a record durable. */
export async function writeRecord(
  work: Pick<Work, "record">,
  record: HostedRecord,
  progress: Progress,
): Promise<void> {
  await work.record(record as JsonObject, progress);
}

/** The last try of a creation, unless the service is known to have refused it. */
export function pendingIntent(records: readonly JsonObject[], what: string): Intent | undefined {
  const all = readRecords(records);
  const last = all.findLast((r) =>
    "intent" in r && r.intent === what || "refused" in r && r.refused === what
  );
  return last && "intent" in last ? last : undefined;
}

export function uploadedId(records: readonly JsonObject[], what: string): string | undefined {
  const found = readRecords(records).findLast((r) => "uploaded" in r && r.uploaded === what);
  return found && "id" in found ? found.id : undefined;
}

/** The latest upload in parts of a file. */
export function begunUpload(
  records: readonly JsonObject[],
  sha256: string,
): { readonly id: string; readonly at: number } | undefined {
  const found = readRecords(records).findLast((r) => "begun" in r && r.begun === sha256);
  return found && "begun" in found ? found : undefined;
}

export function partId(records: readonly JsonObject[], upload: string, number: number): string | undefined {
  const found = readRecords(records).findLast((r) => "part" in r && r.part === number && r.upload === upload);
  return found && "part" in found ? found.id : undefined;
}

export function seenEvents(records: readonly JsonObject[]): Set<string> {
  return new Set(readRecords(records).flatMap((r) => "event" in r ? [r.event] : []));
}

/** How often each call has failed in a row. */
export function failuresByCall(records: readonly JsonObject[]): Map<string, number> {
  return new Map(readRecords(records).flatMap((r) => "call" in r ? [[r.call, r.failures]] : []));
}
