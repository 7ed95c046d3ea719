// deno-lint-ignore-file no-console -- says why tests are skipped
import { dirname, join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { until } from "../../until.ts";

/** The program `ray`, in an environment of its own; `deno run -A tools/test_ray.ts` makes it and says where it is. */
const RAY = Deno.env.get("TEMPER_TEST_RAY");

/** For `Deno.test({ ignore })`. */
export const WITHOUT_RAY = RAY === undefined;
if (WITHOUT_RAY) {
  console.warn(
    "skipped: TEMPER_TEST_RAY is not set; run TEMPER_TEST_RAY=$(deno run -A tools/test_ray.ts) deno task test",
  );
}

/** Of the cluster: jobs that do not send it are refused. */
export const TOKEN = "a-token-for-the-tests-of-temper";
/** Milliseconds that a node may take to start on a busy machine: ten seconds otherwise. */
const START_MS = 180_000;
/** Shorter than the minute that nodes usually wait for a head that is gone. */
const HEAD_GONE_SECONDS = 5;

/** A real Ray cluster on this machine: nodes of one CPU each, with ports and a folder of their own. */
export class TestCluster implements AsyncDisposable {
  #nodes: Deno.ChildProcess[] = [];

  private constructor(
    private readonly dir: string,
    private readonly ports: {
      readonly gcs: number;
      readonly dashboard: number;
      readonly client: number;
      readonly agents: number[];
    },
  ) {}

  static async start(nodes: number): Promise<TestCluster> {
    // Read by every temper that this process starts.
    Deno.env.set("TEMPER_TEST_RAY_TOKEN", TOKEN);
    const [gcs, dashboard, client, ...agents] = freePorts(3 + nodes);
    // Ray's sockets are below it, and their paths may not be long.
    const dir = await Deno.makeTempDir({ prefix: "ray-" });
    const cluster = new TestCluster(dir, { gcs: gcs!, dashboard: dashboard!, client: client!, agents });
    await cluster.startNodes();
    return cluster;
  }

  get address(): string {
    return `http://127.0.0.1:${this.ports.dashboard}`;
  }

  /** The engine section of a pipeline that trains on it. */
  engine(): object {
    return { kind: "ray", address: this.address, auth_env: "TEMPER_TEST_RAY_TOKEN", poll_seconds: 0.3 };
  }

  /** Starts all nodes, the head first, and waits until the cluster has them. */
  async startNodes(): Promise<void> {
    const { gcs, dashboard, client, agents: [agent, ...others] } = this.ports;
    this.#start([
      "--head",
      `--port=${gcs}`,
      `--dashboard-port=${dashboard}`,
      "--include-dashboard=true",
      `--ray-client-server-port=${client}`,
      `--dashboard-agent-listen-port=${agent}`,
      `--temp-dir=${join(this.dir, "t")}`,
    ]);
    await until("the head", async () => (await this.#nodeCount()) === 1, START_MS);
    for (const port of others) {
      this.#start([`--address=127.0.0.1:${gcs}`, `--dashboard-agent-listen-port=${port}`]);
    }
    await until(
      "the other nodes",
      async () => (await this.#nodeCount()) === this.ports.agents.length,
      START_MS,
    );
  }

  /** Ends every node at once, as a power cut does. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async jobs(): Promise<{ submission_id: string; status: string }[]> {
    return await this.#request("/api/jobs/");
  }

  async stop(id: string): Promise<void> {
    await this.#request(`/api/jobs/${id}/stop`, "POST");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGTERM");
    // The head's services outlive it by a moment, and write into their folder to their end.
    await until("Ray's services to end", () => this.#isGone(), START_MS);
    await denoFs.remove(this.dir);
  }

  async #isGone(): Promise<boolean> {
    const { code } = await new Deno.Command("pgrep", { args: ["-f", this.dir], stdout: "null" }).output();
    return code === 1;
  }

  #start(args: string[]): void {
    this.#nodes.push(
      new Deno.Command(RAY!, {
        args: [
          "start",
          "--block",
          "--num-cpus=1",
          "--disable-usage-stats",
          "--min-worker-port=0",
          "--max-worker-port=0",
          ...args,
        ],
        clearEnv: true,
        env: {
          PATH: `${dirname(RAY!)}:/usr/local/bin:/usr/bin:/bin`,
          HOME: this.dir,
          RAY_AUTH_MODE: "token",
          RAY_AUTH_TOKEN: TOKEN,
          RAY_gcs_rpc_server_reconnect_timeout_s: String(HEAD_GONE_SECONDS),
        },
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn(),
    );
  }

  // deno-lint-ignore no-explicit-any -- what Ray answers
  async #request(path: string, method = "GET"): Promise<any> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    return await (await fetch(`${this.address}${path}`, { method, headers })).json();
  }

  async #nodeCount(): Promise<number> {
    try {
      const { data } = await this.#request("/api/v0/nodes");
      return data.result.result.filter(({ state }: { state: string }) => state === "ALIVE").length;
    } catch {
      return 0; // not up yet
    }
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const nodes = this.#nodes;
    this.#nodes = [];
    for (const node of nodes.reverse()) node.kill(signal);
    await Promise.all(nodes.map((node) => node.status));
  }
}

function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}
