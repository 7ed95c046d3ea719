import { join } from "../../src/deps/path.ts";
import { z } from "zod";
import { type Env, type LoadedSpec, type ProviderExtension, providerFields } from "../../mod.ts";

/** A folder with rows to learn from, gone when the test is over. */
export async function folder(): Promise<AsyncDisposable & { readonly dir: string }> {
  const dir = await Deno.makeTempDir({ prefix: "temper-library-" });
  const rows = ["on", "off", "up", "down"].map((word) =>
    JSON.stringify({ prompt: `turn it ${word}`, completion: word })
  );
  await Deno.writeTextFile(join(dir, "rows.jsonl"), `${rows.join("\n")}\n`);
  return { dir, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

const schema = z.strictObject({
  queue: z.string().min(1).meta({ description: "Folder that the cluster takes its jobs from" }),
  priority: z.int().min(0).default(1).meta({ description: "Jobs with a higher one go first" }),
});

/**
 * A service of one's own: a job is a file in a folder, named by its key, and has ended when there is a file with its
 * result beside it.
 */
export const cluster: ProviderExtension<typeof schema> = {
  schema,
  provider: () => ({
    kind: "mycluster",
    inputs: (loaded) => Promise.resolve({ ...providerFields(loaded, schema), learner: 1 }),
    delivery: () => ({}),
    preview(_loaded, _env, data) {
      const text = `${data.trainRows} rows`;
      const estimates = [{ name: "work", text, basis: "one unit a row", figures: { rows: data.trainRows } }];
      return Promise.resolve({ base: "whatever the cluster has", settings: [], estimates, notes: [] });
    },
    async configure({ fs, examples, out }) {
      const rows = (await fs.readText(join(examples, "train.jsonl"))).trimEnd().split("\n").length;
      await fs.writeAtomic(join(out, "job.json"), JSON.stringify({ rows }));
      return { rows };
    },
    async submit({ fs, loaded, key, configured, job, submitted }) {
      if (job) return job;
      const file = join(queueOf(loaded), key);
      if (!await fs.stat(file)) await fs.writeAtomic(file, await fs.readText(join(configured, "job.json")));
      const started = { provider: "mycluster", file };
      await submitted(started);
      return started;
    },
    async monitor({ fs, clock, job, runDir, signal, progress }) {
      const done = `${job["file"]}.done`;
      while (!await fs.stat(done)) {
        progress({ phase: "wait" });
        await clock.sleep(10, signal);
      }
      const answers = join(runDir, "answers.txt");
      await fs.writeAtomic(answers, await fs.readText(done));
      const artifact = { kind: "answers", path: "answers.txt", bytes: 1, sha256: await fs.sha256(answers) };
      return { metrics: { metric: "exact_match", before: 0, after: 0.75 }, artifacts: [artifact] };
    },
    cancel: (job, _runDir, { fs }: Env) => fs.writeAtomic(`${job["file"]}.cancelled`, ""),
  }),
  inspect: async (loaded, { fs }) =>
    await fs.stat(queueOf(loaded)) ? [] : [{
      path: ["provider", "queue"],
      at: "value",
      message: "Cannot use provider.queue: there is no such folder",
    }],
};

function queueOf(loaded: LoadedSpec): string {
  return join(loaded.dir, providerFields(loaded, schema).queue);
}

/** Names of the jobs that were started. */
export async function jobsIn(queue: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(queue)) names.push(name);
  return names.filter((name) => !name.includes("."));
}

/** What the cluster does when it has done all its jobs. */
export async function finishJobs(queue: string): Promise<void> {
  for (const job of await jobsIn(queue)) await Deno.writeTextFile(join(queue, `${job}.done`), "7");
}

export const providers = { mycluster: cluster };

/** A pipeline for the cluster over the rows of the folder, as a file and as an object. */
export const YAML = `version: 1
name: own
dataset: {source: rows.jsonl}
method: {kind: lora}
provider: {kind: mycluster, queue: jobs}
`;
export const PIPELINE = {
  version: 1,
  name: "own",
  dataset: { source: "rows.jsonl" },
  method: { kind: "lora" },
  provider: { kind: "mycluster", queue: "jobs" },
} as const;
