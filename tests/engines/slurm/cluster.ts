// deno-lint-ignore-file no-console -- says why tests are skipped
import process from "node:process";
import { findProgram } from "../../../src/lib/find_program.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { SlurmNodes } from "../../../tools/slurm_nodes.ts";

const PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "srun", "flock"];

/** For `Deno.test({ ignore })`: without Slurm these tests cannot run. */
const why = await missing();
export const WITHOUT_SLURM = why !== undefined;
if (WITHOUT_SLURM) console.warn(`skipped: ${why}`);

async function missing(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "only root can start Slurm's daemons";
  const env = { fs: denoFs, env: { PATH: Deno.env.get("PATH") } };
  for (const name of PROGRAMS) {
    if (!await findProgram(name, env)) return `"${name}" is not installed (docs/engines.md)`;
  }
  return undefined;
}

/** A cluster in a folder of its own, ended and removed with the test. */
export class SlurmCluster extends SlurmNodes implements AsyncDisposable {
  static async make(): Promise<SlurmCluster> {
    const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "temper-slurm-" }));
    const cluster = new SlurmCluster(dir);
    await cluster.up();
    return cluster;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
    await denoFs.remove(this.dir);
  }
}
