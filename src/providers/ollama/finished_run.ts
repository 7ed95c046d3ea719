import { basename } from "../../deps/path.ts";
import { UsageError } from "../../lib/errors.ts";
import type { Fs } from "../../lib/files/fs.ts";
import { modelNameFault } from "../../spec/rules/model_name.ts";
import type { Spec } from "../../spec/schema/schema.ts";
import { withWritableCache } from "../shared_dir.ts";
import { jobDir } from "../trainer/job/job_folder.ts";
import type { JudgeWork } from "../trainer/serving/judge.ts";
import { jobResult } from "../trainer/follow/job_result.ts";
import { ownTrainer } from "../trainer/environment/trainer_dir.ts";
import { readResult } from "../trainer/job/trainer_files.ts";
import { OllamaClient } from "./client.ts";
import { exportedOf } from "./exported_model.ts";
import { type Proof, prove } from "./proof.ts";
import { blobOf, register, type Registered, type RegisterRequest } from "./register.ts";
import { authorized, serverFields, serverOf } from "./server.ts";
import { talkCommand } from "./talk_command.ts";

/** Where and how to serve a run's model. Options that are not set come from its pipeline. */
export interface ServeOptions {
  readonly model?: string | undefined;
  readonly server?: string | undefined;
  readonly overwrite?: boolean;
  readonly keepPrevious?: boolean;
}

/** Registers the model of a finished run, whatever its pipeline says about registering, and compares its answers. */
export async function registerRun(
  given: JudgeWork,
  spec: Spec,
  options: ServeOptions,
): Promise<
  Registered & { readonly server: string; readonly command: string; readonly served: Proof | undefined }
> {
  const work = await withWritableCache(given, (message) => given.progress({ phase: "cache", message }));
  const found = await finished(work.runDir, work.fs, "serve");
  const settings = settingsOf(spec, options);
  refuseName(options.model);
  const client = clientOf(work, spec, options);
  const model = options.model ?? found.exported.model;
  const request = { ...found.exported, ...settings, model };
  await client.version();
  const registered = await register(client, request, work);
  const served = await prove(client, work, {
    model,
    jinja: registered.jinja,
    evaluate: spec.evaluate,
    result: found.result,
    trainerDir: await ownTrainer(work.fs).dir(work),
  });
  const { think } = request.serving;
  const command = talkCommand(model, client.address, serverFields(spec).auth_env, think);
  return { ...registered, server: client.server, command, served };
}

/** Removes a run's model from the server; false when there was none. Refuses to remove what another run put there. */
export async function unregisterRun(
  work: Pick<JudgeWork, "runDir" | "fs" | "env" | "signal">,
  spec: Spec,
  options: ServeOptions,
): Promise<{ readonly model: string; readonly server: string; readonly removed: boolean }> {
  const { exported } = await finished(work.runDir, work.fs, "unregister");
  const client = clientOf(work, spec, options);
  const { server } = client;
  const model = options.model ?? exported.model;
  const shown = await client.show(model);
  if (shown && blobOf(shown) !== exported.gguf.sha256) {
    throw new UsageError(
      "ollama-other-model",
      `Cannot unregister "${model}" at ${server}: its weights differ from those of run "${
        basename(work.runDir)
      }"`,
      { hint: `Name the run that made it, or remove it yourself: ollama rm ${model}` },
    );
  }
  return { model, server, removed: shown !== undefined && await client.remove(model) };
}

async function finished(runDir: string, fs: Fs, action: "serve" | "unregister") {
  const done = await readResult(jobDir(runDir), fs);
  const id = basename(runDir);
  if (done?.state !== "done") {
    throw new UsageError("not-finished", `Cannot ${action} run "${id}": its training has not finished`, {
      hint: `See its state with: \`temper show ${id}\``,
    });
  }
  const result = jobResult(done);
  const exported = await exportedOf(runDir, result, fs);
  if (exported) return { result, exported };
  throw new UsageError("nothing-to-serve", `Cannot ${action} run "${id}": it exported no GGUF file`, {
    ...action === "serve" &&
      { hint: "Set provider.export.gguf: true and run it again: the training is not repeated" },
  });
}

function clientOf(
  { env, signal }: Pick<JudgeWork, "env" | "signal">,
  spec: Spec,
  { server: given }: ServeOptions,
) {
  const fields = serverFields(spec);
  return new OllamaClient(authorized(serverOf(fields, env, given), fields, env), signal);
}

/** For a name from the command line: the pipeline's own was checked with its file. */
function refuseName(name: string | undefined): void {
  const fault = name === undefined ? undefined : modelNameFault(name);
  if (fault === undefined) return;
  throw new UsageError("bad-name", `Cannot register "${name}": ${fault}`, {
    hint: "A name is [HOST/][NAMESPACE/]MODEL[:TAG], such as team/home:v2",
  });
}

function settingsOf(
  { provider }: Spec,
  options: ServeOptions,
): Pick<RegisterRequest, "overwrite" | "keepPrevious"> {
  const own = provider.kind === "ollama" ? provider : undefined;
  return {
    overwrite: options.overwrite || own?.overwrite === true,
    keepPrevious: options.keepPrevious || own?.keep_previous === true,
  };
}
