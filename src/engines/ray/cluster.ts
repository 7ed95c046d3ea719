// deno-lint-ignore-file camelcase -- names of Ray's API and of the pipeline file
import { z } from "../../deps/zod.ts";
import { TemperError, UsageError } from "../../lib/errors.ts";
import { type Address, addressOf, below, isSecret, withCredentials, without } from "../../lib/net/address.ts";
import { isReadable, passwordFault } from "../../lib/net/api_key.ts";
import { causeOf } from "../../lib/system_error.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** Where a cluster is and which variable holds its credentials. Nothing in it is secret. */
export interface ClusterPlace {
  /** Of the dashboard. */
  readonly address: string;
  readonly auth_env?: string | undefined;
}

const Version = z.object({ ray_version: z.string(), session_name: z.string().optional() });
export type Version = z.infer<typeof Version>;

const Job = z.object({
  status: z.enum(["PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"]),
  message: z.string().nullish(),
  error_type: z.string().nullish(),
  driver_exit_code: z.number().nullish(),
});
export type Job = z.infer<typeof Job>;

const Logs = z.object({ logs: z.string() });

const Nodes = z.object({
  data: z.object({
    result: z.object({
      result: z.array(z.object({ state: z.string(), resources_total: z.record(z.string(), z.number()) })),
    }),
  }),
});
export type Node = { readonly cpus: number; readonly gpus: number };

const TIMEOUT_MS = 10_000;
/** The dashboard itself waits for an agent before it answers. */
const SUBMIT_TIMEOUT_MS = 60_000;

/** The Jobs API of a Ray cluster's dashboard. Failures are TemperErrors, transient where asking again may help. */
export class RayCluster {
  #known: Address | undefined;

  constructor(
    private readonly place: ClusterPlace,
    private readonly env: Variables,
    private readonly signal?: AbortSignal,
  ) {}

  /** The address without its secrets. */
  get shown(): string {
    return addressOf(this.place.address).shown;
  }

  get #address(): Address {
    return this.#known ??= authorized(this.place, this.env);
  }

  async version(): Promise<Version> {
    return this.#read(Version, await this.#json("/api/version"));
  }

  /** What the nodes that are alive have. */
  async nodes(): Promise<Node[]> {
    const { data } = this.#read(Nodes, await this.#json("/api/v0/nodes"));
    return data.result.result.filter(({ state }) => state === "ALIVE")
      .map(({ resources_total: { CPU = 0, GPU = 0 } }) => ({ cpus: CPU, gpus: GPU }));
  }

  /** `undefined`: the cluster knows no job of this id. */
  async job(id: string): Promise<Job | undefined> {
    const response = await this.#send(pathOf(id));
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    return this.#read(Job, await this.#jsonOf(response));
  }

  /** What the job's driver has printed so far: nothing, where the cluster knows no job of this id. */
  async logs(id: string): Promise<string> {
    const response = await this.#send(`${pathOf(id)}/logs`);
    if (response.status !== 404) return this.#read(Logs, await this.#jsonOf(response)).logs;
    await response.body?.cancel();
    return "";
  }

  /** Sends a job, unless there is one of its id: the cluster takes none twice. */
  async submit(request: { readonly submission_id: string }): Promise<void> {
    const response = await this.#send("/api/jobs/", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    }, SUBMIT_TIMEOUT_MS);
    const text = await this.#textOf(response);
    if (response.ok || text.includes(`${request.submission_id} already exists`)) return;
    throw this.#refused(response.status, text);
  }

  /** Asks a job to stop; it may take a while. */
  async stop(id: string): Promise<void> {
    const response = await this.#send(`${pathOf(id)}/stop`, { method: "POST" });
    const text = await this.#textOf(response);
    if (!response.ok && response.status !== 404) throw this.#refused(response.status, text);
  }

  async #json(path: string): Promise<unknown> {
    return await this.#jsonOf(await this.#send(path));
  }

  async #jsonOf(response: Response): Promise<unknown> {
    const text = await this.#textOf(response);
    if (!response.ok) throw this.#refused(response.status, text);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw this.#strange(cause);
    }
  }

  async #send(path: string, init: RequestInit = {}, limitMs = TIMEOUT_MS): Promise<Response> {
    this.signal?.throwIfAborted();
    const headers = new Headers(init.headers);
    const { authorization } = this.#address;
    if (authorization !== undefined) headers.set("authorization", authorization);
    const limit = AbortSignal.timeout(limitMs);
    const signal = this.signal ? AbortSignal.any([this.signal, limit]) : limit;
    try {
      // Following a redirect could take the credentials to another machine.
      return await fetch(below(this.#address, path), { ...init, headers, signal, redirect: "manual" });
    } catch (error) {
      this.signal?.throwIfAborted();
      throw this.#unreachable(error);
    }
  }

  async #textOf(response: Response): Promise<string> {
    try {
      return without(this.#address.secrets, await response.text());
    } catch (error) {
      this.signal?.throwIfAborted();
      throw this.#unreachable(error);
    }
  }

  #read<T>(schema: z.ZodType<T>, value: unknown): T {
    const { data, error } = schema.safeParse(value);
    if (error) throw this.#strange(error);
    return data;
  }

  #strange(cause: unknown): TemperError {
    return new TemperError(
      "ray-refused",
      `Cannot use ${this.shown}: its answer is not one of a Ray cluster's dashboard`,
      { cause, hint: "Check engine.address: the dashboard listens on port 8265 unless told otherwise" },
    );
  }

  #refused(status: number, text: string): TemperError {
    if (status === 401 || status === 403) return this.#locked(status);
    if (status < 200 || (status >= 300 && status < 400) || status === 404) return this.#strange(undefined);
    const words = text.trim().split("\n").at(-1)?.slice(0, 500) || `HTTP ${status}`;
    return new TemperError("ray-refused", `Cannot use the Ray cluster at ${this.shown}: ${words}`, {
      transient: status === 408 || status === 429 || status >= 500,
    });
  }

  #locked(status: number): TemperError {
    const sent = isSecret(this.#address);
    const found = sent ? "it does not accept the credentials" : "it asks for credentials";
    return new TemperError(
      "ray-refused",
      `Cannot use the Ray cluster at ${this.shown}: ${found} (HTTP ${status})`,
      {
        hint: sent
          ? `Check the variable ${this.place.auth_env}: a token, or USER:PASSWORD`
          : "Set engine.auth_env to the name of a variable that contains the cluster's token",
      },
    );
  }

  #unreachable(error: unknown): TemperError {
    const timedOut = error instanceof DOMException && error.name === "TimeoutError";
    const found = timedOut ? "it does not answer in time" : without(this.#address.secrets, causeOf(error));
    return new TemperError("ray-unreachable", `Cannot reach the Ray cluster at ${this.shown}: ${found}`, {
      transient: true,
      hint: "Check engine.address and that the cluster is up, then run the same command again",
    });
  }
}

function pathOf(id: string): string {
  return `/api/jobs/${encodeURIComponent(id)}`;
}

/** The address with the credentials that each request carries. Throws where they are missing or must not be sent. */
function authorized({ address: given, auth_env }: ClusterPlace, env: Variables): Address {
  const address = addressOf(given);
  if (auth_env === undefined) return address;
  const credentials = env[auth_env];
  const refuse = (found: string, hint: string) =>
    new UsageError("no-credentials", `Cannot use the credentials in ${auth_env}: ${found}`, { hint });
  if (credentials === undefined) {
    throw refuse("it is not set", "Set it to the cluster's token (ray get-auth-token), or to USER:PASSWORD");
  }
  const fault = passwordFault(credentials);
  if (fault !== undefined) throw refuse(`it ${fault}`, "Set the variable to exactly the token");
  if (!isReadable(address.shown)) return withCredentials(address, credentials);
  throw refuse(
    "http:// to another machine is not encrypted",
    "Use an https:// address, or a tunnel that ends on this machine: ssh -L 8265:localhost:8265 HEAD",
  );
}
