import { join } from "node:path";
import { concatBytes } from "../../../lib/files/bytes.ts";
import { TemperError } from "../../../lib/errors.ts";
import type { SubmitWork } from "../../provider.ts";
import type { TrainingFile } from "../job/job_file.ts";
import { begunUpload, partId, writeRecord } from "../job/records.ts";
import type { Service } from "../service.ts";

/** An upload expires an hour after it was opened; one that is about to expire is not resumed. */
const LIFE_MS = 50 * 60_000;

/** Uploads a file in parts, each retried by itself. Resumes an upload that was interrupted within its hour. */
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
    parts.push(partId(work.records, id, n) ?? await send(start, n));
    work.progress({ phase, done: Math.min(file.bytes, start + partBytes), total: file.bytes, unit: "bytes" });
  }
  const done = await service.once(
    "complete the upload",
    (options) => client.uploads.complete(id, { part_ids: parts }, options),
  );
  if (done.file) return done.file.id;
  throw new TemperError(
    "upload-incomplete",
    `Cannot use upload "${id}": the service completed it without naming a file`,
  );

  async function send(start: number, n: number): Promise<string> {
    const data = new File([await slice(work, file, start, partBytes)], file.name);
    // The service drops parts that are not listed at the end: sending one again costs nothing.
    const sent = await service.read(
      `upload part ${n + 1}`,
      (options) => client.uploads.parts.create(id, { data }, options),
    );
    await writeRecord(work, { upload: id, part: n, id: sent.id }, { phase });
    return sent.id;
  }
}

async function begin(work: SubmitWork, service: Service, file: TrainingFile, phase: string): Promise<string> {
  const { records, clock } = work;
  const begun = begunUpload(records, file.sha256);
  if (begun && clock.now() - begun.at < LIFE_MS) return begun.id;
  const at = clock.now();
  const upload = await service.read("open an upload", (options) =>
    service.client.uploads.create({
      bytes: file.bytes,
      filename: file.name,
      mime_type: "text/jsonl",
      purpose: "fine-tune",
    }, options));
  await writeRecord(work, { begun: file.sha256, id: upload.id, at }, { phase });
  return upload.id;
}

async function slice({ fs, configured }: SubmitWork, { name }: TrainingFile, start: number, length: number) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of fs.readStream(join(configured, name), start, start + length)) {
    chunks.push(chunk.slice());
  }
  return concatBytes(chunks) as Uint8Array<ArrayBuffer>;
}
