import { join } from "../../../deps/path.ts";
import { TemperError } from "../../../lib/errors.ts";
import { bytes } from "../../../lib/text/format.ts";
import type { SubmitWork } from "../../provider.ts";
import { createOnce } from "../job/create_once.ts";
import type { TrainingFile } from "../job/job_file.ts";
import { rememberedFile, rememberFile } from "./uploaded_files.ts";
import { CallError, type Service } from "../service.ts";
import { PART_BYTES, uploadInParts } from "./upload_parts.ts";

/** Above this, one request is reported to fail without a word. */
const ONE_REQUEST_BYTES = 100_000_000;

export interface UploadOptions {
  readonly settleMs: number;
  /** @default 100 MB */
  readonly oneRequestBytes?: number;
  /** @default 64 MB */
  readonly partBytes?: number;
}

/**
 * The id of a file at the service: remembered, found by its name and size, or uploaded. Its name is a digest of its
 * content, so a file of that name and size is that file, whoever brought it there.
 */
export async function uploadOnce(
  work: SubmitWork,
  service: Service,
  file: TrainingFile,
  options: UploadOptions,
): Promise<string> {
  const what = `file ${file.sha256}`;
  const phase = `uploading ${file.name}`;
  const done = work.records.findLast((record) => record["uploaded"] === what);
  const { baseUrl } = service.endpoint;
  const known = [done?.["id"], await rememberedFile(work, baseUrl, file)];
  for (const id of new Set(known)) {
    if (typeof id === "string" && await isThere(service, id, file)) return id;
  }
  const id = await createOnce<string>(work, {
    what,
    phase,
    settleMs: options.settleMs,
    find: () => findFile(service, file),
    intent: () => Promise.resolve({ name: file.name, bytes: file.bytes }),
    create: () => upload(work, service, file, options),
  }).catch((thrown) => {
    // A file costs nothing, and its name tells: once it is known not to be there, the step may try again.
    throw thrown instanceof CallError ? thrown.error : thrown;
  });
  await rememberFile(work, baseUrl, file, id);
  await work.record({ uploaded: what, id }, { phase });
  return id;
}

async function upload(
  work: SubmitWork,
  service: Service,
  file: TrainingFile,
  { oneRequestBytes = ONE_REQUEST_BYTES, partBytes = PART_BYTES }: UploadOptions,
): Promise<string> {
  const path = join(work.configured, file.name);
  const phase = `uploading ${file.name}`;
  work.progress({ phase, done: 0, total: file.bytes, unit: "bytes" });
  if (file.bytes > oneRequestBytes) return await uploadInParts(work, service, file, partBytes);
  const content = new File([await work.fs.readBytes(path)], file.name, { type: "application/jsonl" });
  const sent = await service.once(
    `upload ${bytes(file.bytes)}`,
    (options) => service.client.files.create({ file: content, purpose: "fine-tune" }, options),
  );
  if (sent.bytes !== file.bytes) {
    throw new TemperError(
      "upload-incomplete",
      `Cannot use the uploaded file "${sent.id}": the service holds ${sent.bytes} of ${file.bytes} bytes`,
    );
  }
  return sent.id;
}

async function findFile(service: Service, file: TrainingFile): Promise<string | undefined> {
  return await service.read("list the files", async (options) => {
    // Newest first where the service orders; all pages, because not every one does.
    for await (const found of service.client.files.list({ purpose: "fine-tune", order: "desc" }, options)) {
      if (found.filename === file.name && found.bytes === file.bytes && found.status !== "error") {
        return found.id;
      }
    }
    return undefined;
  });
}

async function isThere(service: Service, id: string, file: TrainingFile): Promise<boolean> {
  return await service.read(`look at file ${id}`, async (options) => {
    const found = await service.client.files.retrieve(id, options);
    return found.filename === file.name && found.bytes === file.bytes && found.status !== "error";
  }).catch((error) => {
    if (error instanceof TemperError && error.code === "http-404") return false;
    throw error;
  });
}
