import { join } from "../../../deps/path.ts";
import { concatBytes } from "../../../lib/files/bytes.ts";
import { TemperError } from "../../../lib/errors.ts";
import type { SubmitWork } from "../../provider.ts";
import type { TrainingFile } from "../job/job_file.ts";
import type { Service } from "../service.ts";

export const PART_BYTES = 64_000_000;
/** An upload is gone an hour after it was begun; one that is nearly over is not worth going on with. */
const LIFE_MS = 50 * 60_000;

/** Uploads a file in parts, each tried again by itself. Goes on with an upload that was interrupted within its hour. */
export async function uploadInParts(
  work: SubmitWork,
  service: Service,
  file: TrainingFile,
  partBytes: number,
): Promise<string> {
  const { client } = service;
  const phase = `uploading ${file.name}`;
  const id = await begin(work, service, file, phase);
  const parts: string[] = [];
  for (let n = 0; n * partBytes < file.bytes; n++) {
    const start = n * partBytes;
    const known = work.records.findLast((record) => record["part"] === n && record["upload"] === id);
    parts.push(typeof known?.["id"] === "string" ? known["id"] : await send(start, n));
    work.progress({ phase, done: Math.min(file.bytes, start + partBytes), total: file.bytes, unit: "bytes" });
  }
  const done = await service.once(
    "complete the upload",
    (options) => client.uploads.complete(id, { part_ids: parts }, options),
  );
  if (done.file) return done.file.id;
  throw new TemperError(
    "upload-incomplete",
    `Cannot use upload "${id}": the service completed it and names no file`,
  );

  async function send(start: number, n: number): Promise<string> {
    const data = new File([await slice(work, file, start, partBytes)], file.name);
    // A part that is not named at the end is dropped by the service: sending one again costs nothing.
    const sent = await service.read(
      `upload part ${n + 1}`,
      (options) => client.uploads.parts.create(id, { data }, options),
    );
    await work.record({ upload: id, part: n, id: sent.id }, { phase });
    return sent.id;
  }
}

async function begin(work: SubmitWork, service: Service, file: TrainingFile, phase: string): Promise<string> {
  const { records, clock } = work;
  const begun = records.findLast((record) => record["begun"] === file.sha256);
  if (typeof begun?.["id"] === "string" && clock.now() - Number(begun["at"]) < LIFE_MS) {
    return begun["id"];
  }
  const at = clock.now();
  const upload = await service.read("begin an upload", (options) =>
    service.client.uploads.create({
      bytes: file.bytes,
      filename: file.name,
      mime_type: "text/jsonl",
      purpose: "fine-tune",
    }, options));
  await work.record({ begun: file.sha256, id: upload.id, at }, { phase });
  return upload.id;
}

async function slice({ fs, configured }: SubmitWork, { name }: TrainingFile, start: number, length: number) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of fs.readStream(join(configured, name), start, start + length)) {
    chunks.push(chunk.slice());
  }
  return concatBytes(chunks) as Uint8Array<ArrayBuffer>;
}
