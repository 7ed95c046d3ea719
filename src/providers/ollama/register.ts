import { TemperError, UsageError } from "../../lib/errors.ts";
import type { Env, Progress } from "../provider.ts";
import type { Serving } from "../trainer/serving/serving.ts";
import type { OllamaClient } from "./client.ts";
import type { Shown } from "./wire.ts";
import { fullName, previousName } from "../../spec/rules/model_name.ts";
import { refuseOldServer } from "./version.ts";

/** Metadata that every file exported by temper carries: the method it was trained with. */
export const MARK = "temper.method";

export interface RegisterRequest {
  /** Name to serve it under. */
  readonly model: string;
  readonly serving: Serving;
  readonly gguf: { readonly path: string; readonly sha256: string; readonly bytes: number };
  /** Replace an existing model of this name that temper did not make. */
  readonly overwrite: boolean;
  /** Keep the model that had this name. */
  readonly keepPrevious: boolean;
}

export interface Registered {
  readonly model: string;
  /** Where the model that had the name is now, when it was kept. */
  readonly previous: string | undefined;
  /** Whether another model had the name. */
  readonly replaced: boolean;
  /** Whether the chat template inside the file renders, not the one that was sent. */
  readonly jinja: boolean;
}

/** What registering may use of the step's work. */
export type RegisterWork = Pick<Env, "fs" | "clock"> & {
  progress(progress: Progress): void;
  readonly signal: AbortSignal;
};

/** Uploads that are started before a broken connection is given up. */
const UPLOADS = 3;
const PAUSE_MS = 1_000;

/**
 * Uploads the file and creates a model from it. Idempotent: a file that the server has is not sent again, and the same
 * model stays as it is. Throws a UsageError when the name is taken.
 */
export async function register(
  client: OllamaClient,
  request: RegisterRequest,
  work: RegisterWork,
): Promise<Registered> {
  const { model, serving: { template, system, parameters }, gguf } = request;
  if (template === undefined) refuseOldServer(client.server, await client.version(), model);
  const before = await refuseTaken(client, request);
  const replaced = before !== undefined && blobOf(before) !== gguf.sha256;
  const previous = replaced && request.keepPrevious ? await keep(client, request) : undefined;
  const digest = `sha256:${gguf.sha256}`;
  await upload(client, digest, gguf, work);
  const files = { "model.gguf": digest };
  const made = {
    model,
    files,
    parameters,
    ...template !== undefined && { template },
    ...system !== undefined && { system },
  };
  await client.create(made, (status) => work.progress({ phase: `register: ${status}` }));
  const jinja = await verify(client, request);
  return { model, previous, replaced, jinja };
}

/** The model that has the name now. Throws when temper did not make it and may not replace it. */
export async function refuseTaken(
  client: OllamaClient,
  { model, overwrite }: Pick<RegisterRequest, "model" | "overwrite">,
): Promise<Shown | undefined> {
  const found = await client.show(model);
  if (!found || overwrite || isOurs(found)) return found;
  throw new UsageError(
    "ollama-name-taken",
    `Cannot register "${model}" at ${client.server}: a model with this name exists, and temper did not make it`,
    { hint: "Use another name (provider.model), or set provider.overwrite: true to replace it" },
  );
}

export function isOurs(shown: Shown): boolean {
  return typeof shown.model_info[MARK] === "string";
}

/** Digest of a model's weights, as lower-case hex: the name of the file its Modelfile comes from. */
export function blobOf({ modelfile }: Shown): string | undefined {
  return modelfile.match(/^FROM .*\bsha256[-:]([0-9a-f]{64})\s*$/m)?.[1];
}

async function keep(client: OllamaClient, { model, overwrite }: RegisterRequest): Promise<string> {
  const previous = previousName(model);
  await refuseTaken(client, { model: previous, overwrite });
  await client.copy(fullName(model), previous);
  return previous;
}

/** A server that has the file already may answer before it has read it, which looks like a broken connection. */
async function upload(
  client: OllamaClient,
  digest: string,
  { path, bytes }: RegisterRequest["gguf"],
  { fs, clock, signal, progress }: RegisterWork,
): Promise<void> {
  for (let attempt = 1; !await client.hasBlob(digest); attempt++) {
    try {
      return await client.sendBlob(
        digest,
        path,
        fs,
        (done) => progress({ phase: "upload", done, total: bytes, unit: "bytes" }),
      );
    } catch (error) {
      const broken = error instanceof TemperError && error.code === "ollama-unreachable";
      if (!broken || attempt === UPLOADS) throw error;
      await clock.sleep(PAUSE_MS, signal);
    }
  }
}

/** The template that servers show for a model without one, where they do not show the file's own. */
const NO_TEMPLATE = "{{ .Prompt }}";

/** Servers prefer the file's own chat template where it supports more than the one that was sent. Both render the same. */
function rendersAsTrained(shown: string, { template, chat_template: inFile }: Serving): boolean {
  if (shown === template || inFile !== undefined && shown.endsWith(inFile)) return true;
  return template === undefined && shown === NO_TEMPLATE;
}

/** Checks that the server shows what it was sent. Returns whether the file's own chat template renders. */
async function verify(client: OllamaClient, { model, serving, gguf }: RegisterRequest): Promise<boolean> {
  const shown = await client.show(model);
  const wrong = !shown
    ? "the model is missing"
    : blobOf(shown) !== gguf.sha256
    ? "its weights differ"
    : !rendersAsTrained(shown.template, serving)
    ? "its template differs"
    : shown.system !== (serving.system ?? "")
    ? "its system prompt differs"
    : undefined;
  if (shown && wrong === undefined) return shown.template !== serving.template;
  throw new TemperError(
    "ollama-refused",
    `Cannot register "${model}" at ${client.server}: it says "success", but ${wrong}`,
    { hint: "Another program may be registering this name at the same time" },
  );
}
