import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { headerFindings } from "../../../src/engines/slurm/header.ts";
import { jobScript } from "../../../src/engines/slurm/script.ts";
import type { SlurmSection } from "../../../src/spec/schema/schema_engine.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";

function section(fields: object): SlurmSection {
  return Spec.shape.engine.parse({ kind: "slurm", ...fields }) as SlurmSection;
}

function script(fields: object, header?: string): string {
  return jobScript({
    name: "temper-run",
    comment: "temper:run",
    dir: "/shared/my runs/100%/job",
    section: section(fields),
    header,
    command: {
      program: "/shared/python",
      args: ["-m", "temper_trainer", "train", "/shared/my runs/100%/job"],
      env: {
        PATH: "/bin",
        HOME: "/root",
        PYTHONPATH: "/shared/trainer",
        HF_HOME: "/shared/it's",
        CUDA_VISIBLE_DEVICES: "3",
      },
    },
  });
}

Deno.test("jobScript() asks for what the section says, and quotes what is not one word", () => {
  const fields = { "gpus_per_node": "a100:4", "cpus_per_worker": 8, "memory_per_node": "64G" };
  const text = script({
    nodes: 2,
    "workers_per_node": 4,
    time: "04:00:00",
    partition: "gpu",
    account: "me",
    ...fields,
  });
  const lines = text.split("\n");
  assert.equal(lines[0], "#!/bin/bash");
  for (
    const option of [
      "nodes=2",
      "ntasks-per-node=4",
      "cpus-per-task=8",
      "gpus-per-node=a100:4",
      "mem=64G",
      "time=04:00:00",
      "partition=gpu",
      "account=me",
      "output='/shared/my runs/100%%/job/trainer.log'",
      "signal=B:USR1@60",
      "requeue",
    ]
  ) assert(lines.includes(`#SBATCH --${option}`), option);
  assert.match(text, /^export WORLD_SIZE=8$/m);
  assert.match(text, /^export HF_HOME='\/shared\/it'\\''s'$/m);
  assert.match(text, /srun .*--cpus-per-task=8/);
});

Deno.test("jobScript() leaves to the node what belongs to it, and one worker alone", () => {
  const text = script({});
  assert.doesNotMatch(text, /export (PATH|HOME|CUDA_VISIBLE_DEVICES|WORLD_SIZE)|MASTER_ADDR/);
});

Deno.test("jobScript() copies the header unchanged between its options and its commands", () => {
  const header = "#SBATCH --qos=high\n\nmodule load cuda\n";
  const text = script({ header: "site.sh" }, header);
  const at = text.indexOf(header);
  assert(at > text.lastIndexOf("#SBATCH --requeue"));
  assert(at < text.indexOf("export PYTHONPATH="));
  assert.equal(text.match(/#SBATCH --qos/g)?.length, 1);
});

Deno.test("jobScript() is a script that bash can read", async () => {
  for (const fields of [{}, { nodes: 2 }]) {
    const child = new Deno.Command("bash", { args: ["-n"], stdin: "piped", stderr: "piped" }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script(fields)));
    await writer.close();
    const { code, stderr } = await child.output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  }
});

Deno.test("headerFindings() refuses what would undo the script's own options, with its line", async () => {
  const dir = await Deno.makeTempDir();
  const found = async (text: string | undefined, fields: object = {}) => {
    const path = join(dir, "site.sh");
    if (text === undefined) await denoFs.remove(path);
    else await Deno.writeTextFile(path, text);
    const findings = await headerFindings(section({ header: "site.sh", ...fields }), dir, denoFs);
    return findings.map(({ message }) => message);
  };
  assert.deepEqual(
    await found("#SBATCH --qos=high\n# a comment\n#SBATCH -t 10\n#SBATCH --no-requeue\nmodule load cuda\n"),
    [],
  );
  const taken = (line: number, name: string) =>
    `Cannot use line ${line} of "site.sh": temper sets --${name} itself`;
  assert.deepEqual(await found("#SBATCH -t 10\n", { time: "20" }), [taken(1, "time")]);
  assert.deepEqual(await found("\n#SBATCH -J x\n#SBATCH --array=1-3\n"), [
    taken(2, "job-name"),
    taken(3, "array"),
  ]);
  assert.deepEqual(await found("module load cuda\n#SBATCH --qos=high\n"), [
    'Cannot use line 2 of "site.sh": sbatch reads no #SBATCH after the first command',
  ]);
  assert.deepEqual(await found(undefined), ['Cannot read "site.sh": there is no such file']);
  await denoFs.remove(dir);
});
