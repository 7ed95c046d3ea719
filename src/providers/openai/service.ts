import type { OpenAI } from "../../deps/openai.ts";
import { type Address, without, withoutLong } from "../../lib/net/address.ts";
import { TemperError } from "../../lib/errors.ts";
import { duration } from "../../lib/text/format.ts";
import { retryDelay, TRIES } from "../../lib/retry.ts";
import type { Env, Progress, Work } from "../provider.ts";
import { authorizedAddress, type Endpoint } from "./endpoint.ts";
import { failureOf } from "./errors.ts";
import { failuresByCall, writeRecord } from "./job/records.ts";

const TIMEOUT_MS = 60_000;
const UPLOAD_TIMEOUT_MS = 600_000;
const MOST_REDIRECTS = 5;

export interface ServiceOptions {
  readonly env: Env;
  readonly signal: AbortSignal;
  readonly phase: string;
  progress(progress: Progress): void;
  /** The log of the step that calls: it holds how often a call has failed, so that the count goes on after a kill. */
  readonly step?: Pick<Work, "records" | "record">;
}

interface ReadOptions {
  /** To wait at least before another try. */
  readonly leastMs?: number;
  /** Once it is aborted there is no further try. One that is under way ends by itself: it may have been paid for. */
  readonly stop?: AbortSignal;
}

/** The service behind an endpoint, with failures in temper's words. The client itself never retries. */
export class Service {
  /** How often calls have failed in a row. */
  readonly #failures: Map<string, number>;

  private constructor(
    readonly client: OpenAI,
    readonly endpoint: Endpoint,
    private readonly address: Address,
    private readonly options: ServiceOptions,
  ) {
    this.#failures = failuresByCall(options.step?.records ?? []);
  }

  static forStep(endpoint: Endpoint, work: Work, phase: string): Promise<Service> {
    const progress = (progress: Progress) => work.progress(progress);
    return Service.open(endpoint, { env: work, signal: work.signal, phase, progress, step: work });
  }

  static async open(endpoint: Endpoint, options: ServiceOptions): Promise<Service> {
    const address = authorizedAddress(endpoint, options.env.env);
    const { OpenAI } = await import("../../deps/openai.ts");
    const client = new OpenAI({
      // The header below is sent instead.
      apiKey: "none",
      baseURL: address.shown,
      defaultHeaders: { Authorization: address.authorization ?? null },
      defaultQuery: Object.fromEntries(address.query),
      organization: options.env.env["OPENAI_ORG_ID"] ?? null,
      project: options.env.env["OPENAI_PROJECT_ID"] ?? null,
      maxRetries: 0,
      timeout: TIMEOUT_MS,
      fetch: fetchFor(address),
      dangerouslyAllowBrowser: true,
      logLevel: "off",
    });
    return new Service(client, endpoint, address, options);
  }

  /** One call, made once. */
  async once<T>(
    action: string,
    call: (options: { signal: AbortSignal; timeout: number }) => Promise<T>,
  ): Promise<T> {
    const { signal } = this.options;
    signal.throwIfAborted();
    try {
      return await call({ signal, timeout: UPLOAD_TIMEOUT_MS });
    } catch (thrown) {
      signal.throwIfAborted();
      const failure = failureOf(action, thrown);
      if (!failure) throw thrown;
      throw new CallError(this.#without(failure.error), failure.unsure);
    }
  }

  /**
   * A call that changes nothing, or nothing the second time: retried by the policy, with a message each time. What it
   * gives up is a `GaveUpError`: the step does not repeat it.
   */
  async read<T>(
    action: string,
    call: (options: { signal: AbortSignal }) => Promise<T>,
    { leastMs = 0, stop }: ReadOptions = {},
  ): Promise<T> {
    const { env: { clock }, phase } = this.options;
    const signal = stop ? AbortSignal.any([this.options.signal, stop]) : this.options.signal;
    while (true) {
      signal.throwIfAborted();
      const retries = this.#failures.get(action) ?? 0;
      try {
        const value = await this.once(action, ({ signal }) => call({ signal }));
        if (retries > 0) await this.#setFailures(action, 0, { phase });
        return value;
      } catch (thrown) {
        if (!(thrown instanceof CallError)) throw thrown;
        signal.throwIfAborted();
        const { error } = thrown;
        const { transient, retryAfterMs } = error;
        const random = parseInt(clock.randomHex(4), 16) / 0xffffffff;
        const ms = retryDelay({ transient, retryAfterMs, retries, random, leastMs });
        if (ms === undefined) {
          if (retries > 0) await this.#setFailures(action, 0, { phase });
          throw transient ? new GaveUpError(error) : error;
        }
        const again = `retrying in ${duration(ms)} (${retries + 1} of ${TRIES - 1})`;
        await this.#setFailures(action, retries + 1, { phase, message: `${error.message}; ${again}` });
        await clock.sleep(ms, signal);
      }
    }
  }

  async #setFailures(call: string, failures: number, progress: Progress): Promise<void> {
    this.#failures.set(call, failures);
    const { step } = this.options;
    if (step) await writeRecord(step, { call, failures }, progress);
    else this.options.progress(progress);
  }

  /** Error messages of the platform may quote the address. */
  #without(error: TemperError): TemperError {
    const message = without(this.address.secrets, error.message, "[key]");
    if (message === error.message) return error;
    const { code, hint, transient, retryAfterMs } = error;
    // The cause may quote what was removed from the message.
    return new TemperError(code, message, {
      transient,
      ...hint !== undefined && { hint },
      ...retryAfterMs !== undefined && { retryAfterMs },
    });
  }
}

/** A call that failed at every try, and may succeed later. */
export class GaveUpError extends TemperError {
  constructor({ code, message, hint, cause }: TemperError) {
    super(code, message, { cause, ...hint !== undefined && { hint } });
  }
}

/** A call that failed. `unsure`: it may have had its effect all the same. */
export class CallError extends Error {
  constructor(readonly error: TemperError, readonly unsure: boolean) {
    super(error.message, { cause: error });
  }
}

/**
 * The client reads only the `error` of a refusal; FastAPI services send `detail`. Services quote what they were sent, so
 * secrets are removed from everything they answer in JSON.
 */
function fetchFor({ secrets }: Address): typeof fetch {
  return async (input, init) => {
    const response = await fetchFollowing(input, init);
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    if (response.ok && !isJson) return response;
    const body = await response.text();
    const text = response.ok ? withoutLong(secrets, body, "[key]") : without(secrets, body, "[key]");
    const { status, statusText, headers } = response;
    const rest = { status, statusText, headers: new Headers(headers) };
    rest.headers.delete("content-encoding");
    rest.headers.delete("content-length");
    return new Response(response.ok ? text : withEnvelope(text), rest);
  };
}

/** Follows the redirects of GET requests, without the key where they lead to another origin. */
async function fetchFollowing(
  input: Parameters<typeof fetch>[0],
  init: Parameters<typeof fetch>[1],
  left = MOST_REDIRECTS,
): Promise<Response> {
  const response = await fetch(input, { ...init, redirect: "manual" });
  const { status, headers, body, url } = response;
  if (status < 300 || status >= 400) return response;
  await body?.cancel();
  const location = headers.get("location") ?? "";
  const to = URL.canParse(location, url) ? new URL(location, url) : undefined;
  if (to === undefined || left === 0 || (init?.method ?? "GET").toUpperCase() !== "GET") {
    const message = `the service redirects to ${to?.origin ?? "an address that is not valid"}`;
    return Response.json({ error: { message } }, { status: 421 });
  }
  const sent = new Headers(init?.headers);
  if (to.origin !== new URL(url).origin) sent.delete("authorization");
  return await fetchFollowing(to, { ...init, headers: sent }, left - 1);
}

function withEnvelope(text: string): string {
  try {
    const body = JSON.parse(text);
    if (body?.error || body?.detail === undefined) return text;
    return JSON.stringify({ error: { detail: body.detail } });
  } catch {
    return text;
  }
}
