import { basename } from "node:path";
import { UsageError } from "../../lib/errors.ts";
import type { Fs } from "../../lib/fs.ts";
import { OLLAMA_SERVER } from "../../spec/base.ts";
import type { Spec } from "../../spec/schema.ts";
import { jobDir } from "../training/job_folder.ts";
import type { JudgeWork } from "../training/judge.ts";
import { jobResult } from "../training/result.ts";
import { ownTrainerDir } from "../training/trainer.ts";
import { readResult } from "../training/trainer_files.ts";
import { OllamaClient } from "./client.ts";
import { exportedOf } from "./exported.ts";
import { ollamaRun } from "./names.ts";
import { type Proof, prove } from "./prove.ts";
import { blobOf, register, type Registered, type RegisterRequest } from "./register.ts";

/** Where and how to serve a run's model; what is left out is taken from its pipeline. */
export interface ServeOptions {
  readonly model?: string | undefined;
  readonly server?: string | undefined;
  readonly overwrite?: boolean;
  readonly keepPrevious?: boolean;
}

/** Registers what a finished run left, whatever its pipeline said about registering, and proves it. */
export async function registerRun(
  work: JudgeWork,
  spec: Spec,
  options: ServeOptions,
): Promise<
  Registered & { readonly server: string; readonly command: string; readonly served: Proof | undefined }
> {
  const found = await finished(work.runDir, work.fs);
  const { server, ...settings } = settingsOf(spec, options);
  const client = new OllamaClient(server, work.signal);
  const model = options.model ?? found.exported.model;
  const request = { ...found.exported, ...settings, model };
  await client.version();
  const registered = await register(client, request, work);
  const served = await prove(client, work, {
    model,
    jinja: registered.jinja,
    evaluate: spec.evaluate,
    result: found.result,
    trainerDir: ownTrainerDir(),
  });
  return { ...registered, server, command: ollamaRun(model, server, request.serving.think), served };
}

/** Removes a run's model from the server; false when there was none. Refuses to remove what another run put there. */
export async function unregisterRun(
  work: Pick<JudgeWork, "runDir" | "fs" | "signal">,
  spec: Spec,
  options: ServeOptions,
): Promise<{ readonly model: string; readonly server: string; readonly removed: boolean }> {
  const { exported } = await finished(work.runDir, work.fs);
  const { server } = settingsOf(spec, options);
  const client = new OllamaClient(server, work.signal);
  const model = options.model ?? exported.model;
  const shown = await client.show(model);
  if (shown && blobOf(shown) !== exported.gguf.sha256) {
    throw new UsageError(
      "ollama-other-model",
      `Cannot unregister "${model}" at ${server}: its weights are not those of run "${
        basename(work.runDir)
      }"`,
      { hint: `Name the run that made it, or remove it yourself: ollama rm ${model}` },
    );
  }
  return { model, server, removed: shown !== undefined && await client.remove(model) };
}

async function finished(runDir: string, fs: Fs) {
  const done = await readResult(jobDir(runDir), fs);
  const id = basename(runDir);
  if (done?.state !== "done") {
    throw new UsageError("not-finished", `Cannot serve run "${id}": its training has not finished`, {
      hint: `deno task show ${id} says how it stands`,
    });
  }
  const result = jobResult(done);
  const exported = await exportedOf(runDir, result, fs);
  if (exported) return { result, exported };
  throw new UsageError("nothing-to-serve", `Cannot serve run "${id}": it exported no GGUF file`, {
    hint: "Set provider.export.gguf: true and run it again: the training is not repeated",
  });
}

function settingsOf(
  { provider }: Spec,
  options: ServeOptions,
): Pick<RegisterRequest, "overwrite" | "keepPrevious"> & {
  readonly server: string;
} {
  const own = provider.kind === "ollama" ? provider : undefined;
  return {
    server: options.server ?? own?.server ?? OLLAMA_SERVER,
    overwrite: options.overwrite || own?.overwrite === true,
    keepPrevious: options.keepPrevious || own?.keep_previous === true,
  };
}
