import { join } from "../../../deps/path.ts";
import { TemperError } from "../../../lib/errors.ts";
import { oneAtATime } from "../../../lib/one_at_a_time.ts";
import { bytes } from "../../../lib/text/format.ts";
import type { SubmitWork } from "../../provider.ts";
import { createOnce } from "../job/creation.ts";
import type { TrainingFile } from "../job/job_file.ts";
import { uploadedId, writeRecord } from "../job/records.ts";
import type { UploadRules } from "../../../spec/dialects/dialect.ts";
import { rememberedFile, rememberFile } from "./uploaded_files.ts";
import { CallError, type Service } from "../service.ts";
import { uploadInParts } from "./upload_parts.ts";

/** Rules that are not given are the dialect's. */
export interface UploadOptions extends Partial<UploadRules> {
  readonly settleMs: number;
}

/**
 * The id of a file at the service: remembered, found by its name and size, or uploaded. Its name is a digest of its
 * content, so a file of that name and size is that file, whoever uploaded it.
 */
export async function uploadOnce(
  work: SubmitWork,
  service: Service,
  file: TrainingFile,
  options: UploadOptions,
): Promise<string> {
  const name = `upload to ${service.endpoint.baseUrl} ${file.sha256}`;
  // Runs of one process that need the same file: who comes later finds it.
  return await oneAtATime(name, work.signal, () => findOrUpload(work, service, file, options));
}

async function findOrUpload(
  work: SubmitWork,
  service: Service,
  file: TrainingFile,
  options: UploadOptions,
): Promise<string> {
  const what = `file ${file.sha256}`;
  const phase = `uploading ${file.name}`;
  const { baseUrl } = service.endpoint;
  const known = [uploadedId(work.records, what), await rememberedFile(work, baseUrl, file)];
  for (const id of new Set(known)) {
    if (id !== undefined && await exists(service, id, file)) return id;
  }
  const id = await createOnce<string>(work, {
    what,
    phase,
    effect: `"${file.name}" was uploaded`,
    settleMs: options.settleMs,
    find: () => findFile(service, file),
    intent: () => Promise.resolve({ name: file.name, bytes: file.bytes }),
    create: () => upload(work, service, file, options),
  }).catch((thrown) => {
    // A file costs nothing and is found by its name: once it is known not to exist, the step may try again.
    throw thrown instanceof CallError ? thrown.error : thrown;
  });
  await rememberFile(work, baseUrl, file, id);
  await writeRecord(work, { uploaded: what, id }, { phase });
  return id;
}

async function upload(
  work: SubmitWork,
  service: Service,
  file: TrainingFile,
  options: UploadOptions,
): Promise<string> {
  const { oneRequestBytes, partBytes } = { ...service.endpoint.dialect.upload, ...options };
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
      `Cannot use the uploaded file "${sent.id}": the service has ${sent.bytes} of ${file.bytes} bytes`,
    );
  }
  return sent.id;
}

async function findFile(service: Service, file: TrainingFile): Promise<string | undefined> {
  return await service.read("list the files", async (options) => {
    // Newest first where the service sorts. All pages are read, because not every service does.
    for await (const found of service.client.files.list({ purpose: "fine-tune", order: "desc" }, options)) {
      if (found.filename === file.name && found.bytes === file.bytes && found.status !== "error") {
        return found.id;
      }
    }
    return undefined;
  });
}

async function exists(service: Service, id: string, file: TrainingFile): Promise<boolean> {
  return await service.read(`read file ${id}`, async (options) => {
    const found = await service.client.files.retrieve(id, options);
    return found.filename === file.name && found.bytes === file.bytes && found.status !== "error";
  }).catch((error) => {
    if (error instanceof TemperError && error.code === "http-404") return false;
    throw error;
  });
}
