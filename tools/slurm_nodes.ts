// deno-lint-ignore-file no-console -- a program of its own
/**
 * A real Slurm cluster of two nodes on this machine, with its own folder, ports and processes: for tests, and for trying.
 *
 *   export SLURM_CONF=$(deno run -A tools/slurm_nodes.ts up DIR)
 *   deno run -A tools/slurm_nodes.ts down DIR
 *
 * Needs root, and Debian's slurmctld, slurmd, slurm-client and munge.
 */
import { hostname } from "node:os";
import { join, resolve } from "../src/deps/path.ts";
import { until } from "../tests/until.ts";

const NODES = ["n1", "n2"] as const;
type Node = typeof NODES[number];

export class SlurmNodes {
  /** `dir`: absolute. */
  constructor(readonly dir: string) {}

  /** Starts all of it. */
  async up(): Promise<void> {
    const { dir } = this;
    for (const folder of ["state", "log", "munge"]) {
      await Deno.mkdir(join(dir, folder), { recursive: true, mode: 0o700 });
    }
    const key = crypto.getRandomValues(new Uint8Array(1024));
    await Deno.writeFile(this.path("munge/key"), key, { mode: 0o400 });
    await Deno.writeTextFile(this.path("slurm.conf"), configuration(dir));
    await this.call(
      "munged",
      "--force",
      `--key-file=${dir}/munge/key`,
      `--socket=${dir}/munge/s`,
      `--pid-file=${dir}/munge/pid`,
      `--log-file=${dir}/log/munged.log`,
      `--seed-file=${dir}/munge/seed`,
    );
    await this.startController();
    for (const node of NODES) await this.startNode(node);
    await this.ready();
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  /** Variables that make Slurm's clients, and so temper, use this cluster. */
  get env(): Record<string, string> {
    return { SLURM_CONF: this.path("slurm.conf") };
  }

  /** What a program of Slurm prints. */
  async call(program: string, ...args: string[]): Promise<string> {
    const output = await new Deno.Command(program, { args, env: this.env, stdin: "null" }).output();
    const [out, err] = [output.stdout, output.stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
    if (!output.success) throw new Error(`${program} ${args.join(" ")} ended with ${output.code}: ${err}`);
    return out!;
  }

  /** Each job's id and state, finished ones too. */
  async jobs(): Promise<{ id: string; state: string }[]> {
    const text = await this.call("squeue", "--noheader", "--states=all", "--format=%i %T");
    return text.split("\n").filter((line) => line !== "").map((line) => {
      const [id = "", state = ""] = line.split(" ");
      return { id, state };
    });
  }

  /** Waits until the only job is in one of these states; returns its id. */
  async job(...states: string[]): Promise<string> {
    return await until(`a job that is ${states.join(" or ")}`, async () => {
      const jobs = await this.jobs();
      return jobs.length === 1 && states.includes(jobs[0]!.state) ? jobs[0]!.id : undefined;
    });
  }

  async ready(): Promise<void> {
    await until("two idle nodes", async () => await this.call("sinfo", "-h", "-o", "%T %D") === "idle 2");
  }

  async startController(): Promise<void> {
    await this.call("slurmctld", "-f", this.path("slurm.conf"));
  }

  async stopController(): Promise<void> {
    await end(await this.#daemon("ctld.pid"), "SIGTERM");
  }

  /** Also after `loseNode`: the controller takes it back by itself. */
  async startNode(node: Node): Promise<void> {
    await this.call("slurmd", "-f", this.path("slurm.conf"), "-N", node);
  }

  /** A node's end: its daemon and all that runs there are gone at once, and the controller knows. */
  async loseNode(node: Node): Promise<void> {
    await this.#endNode(node);
    await this.call("scontrol", "update", `nodename=${node}`, "state=down", "reason=lost");
  }

  async #endNode(node: Node): Promise<void> {
    const daemon = await this.#daemon(`slurmd-${node}.pid`);
    const all = [...daemon, ...await processesOf(this.path(`log/slurmd-${node}.log`))];
    await end(all, "SIGKILL");
  }

  async #daemon(file: string): Promise<number[]> {
    const pid = parseInt(await Deno.readTextFile(this.path(file)).catch(() => ""), 10);
    return pid > 1 ? [pid] : [];
  }

  /** Ends what `up` has started, and what runs on the nodes. */
  async down(): Promise<void> {
    await this.call("scancel", "--user=root").catch(() => {});
    for (const node of NODES) await this.#endNode(node);
    for (const file of ["ctld.pid", "munge/pid"]) await end(await this.#daemon(file), "SIGTERM");
  }
}

/** The step daemons that write to a node's log, and everything below them. */
async function processesOf(log: string): Promise<number[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-eo", "pid=,ppid=,args="] }).output();
  const all = new TextDecoder().decode(stdout).trim().split("\n").map((line) => {
    const [pid = "", ppid = "", ...args] = line.trim().split(/\s+/);
    return { pid: Number(pid), ppid: Number(ppid), args: args.join(" ") };
  });
  const found = all.filter(({ pid, args }) => args.startsWith("slurmstepd:") && writesTo(pid, log));
  for (const { pid } of found) found.push(...all.filter(({ ppid }) => ppid === pid));
  return found.map(({ pid }) => pid);
}

function writesTo(pid: number, log: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return [...Deno.readDirSync(folder)].some(({ name }) => Deno.readLinkSync(join(folder, name)) === log);
  } catch {
    return false; // it has just ended
  }
}

async function end(pids: readonly number[], signal: Deno.Signal): Promise<void> {
  for (const pid of pids) {
    try {
      Deno.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  await until(`the end of processes ${pids.join(", ")}`, () => pids.every(isGone));
}

/** A zombie is gone too: it waits for its parent only. */
function isGone(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return true;
  }
}

function configuration(dir: string): string {
  const host = hostname().split(".")[0];
  const [controller, ...nodes] = freePorts(3);
  return `ClusterName=temper
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${dir}/munge/s,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation=${dir}/state
SlurmdSpoolDir=${dir}/spool-%n
SlurmctldPidFile=${dir}/ctld.pid
SlurmdPidFile=${dir}/slurmd-%n.pid
SlurmctldLogFile=${dir}/log/ctld.log
SlurmdLogFile=${dir}/log/slurmd-%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
KillWait=15
UnkillableStepTimeout=600
MinJobAge=3600
SchedulerParameters=bf_interval=1,sched_interval=1
${
    NODES.map((node, i) =>
      `NodeName=${node} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${nodes[i]} CPUs=1 RealMemory=1000`
    ).join("\n")
  }
PartitionName=all Nodes=${NODES.join(",")} Default=YES MaxTime=60 State=UP
`;
}

function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}

if (import.meta.main) {
  const [verb, dir] = Deno.args;
  if (dir === undefined || verb !== "up" && verb !== "down") {
    console.error("usage: slurm_nodes.ts up DIR | down DIR");
    Deno.exit(2);
  }
  const nodes = new SlurmNodes(resolve(dir));
  await nodes[verb]();
  if (verb === "up") console.log(nodes.env["SLURM_CONF"]);
}
