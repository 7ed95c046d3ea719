import type { OpenAI } from "../../deps/openai.ts";
import { type Address, without, withoutLong } from "../../lib/net/address.ts";
import { TemperError } from "../../lib/errors.ts";
import { duration } from "../../lib/text/format.ts";
import type { Env, Progress } from "../provider.ts";
import { authorizedAddress, type Endpoint } from "./dialects/dialect.ts";
import { failureOf } from "./errors.ts";

/** Tries of one call that changes nothing, before the step as a whole is tried again. */
const TRIES = 6;
const FIRST_MS = 500;
const MOST_MS = 60_000;
const TIMEOUT_MS = 60_000;
const UPLOAD_TIMEOUT_MS = 600_000;
const MOST_POINTERS = 5;

type Told = (progress: Progress) => void;

export interface ServiceOptions {
  readonly env: Env;
  readonly signal: AbortSignal;
  readonly progress: Told;
  readonly phase: string;
}

/** The service behind an endpoint, with failures in temper's words. The client never tries again by itself. */
export class Service {
  private constructor(
    readonly client: OpenAI,
    readonly endpoint: Endpoint,
    private readonly address: Address,
    private readonly options: ServiceOptions,
  ) {}

  static async open(endpoint: Endpoint, options: ServiceOptions): Promise<Service> {
    const address = authorizedAddress(endpoint, options.env.env);
    const { OpenAI } = await import("../../deps/openai.ts");
    const client = new OpenAI({
      // What is sent is the header below.
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

  /** A call that changes nothing, or that changes nothing the second time: tried again, and said so. */
  async read<T>(action: string, call: (options: { signal: AbortSignal }) => Promise<T>): Promise<T> {
    const { env: { clock }, signal, progress, phase } = this.options;
    for (let attempt = 1;; attempt++) {
      try {
        return await this.once(action, ({ signal }) => call({ signal }));
      } catch (thrown) {
        if (!(thrown instanceof CallError)) throw thrown;
        const { error } = thrown;
        if (!error.transient || attempt === TRIES) throw error;
        const random = parseInt(clock.randomHex(4), 16) / 0xffffffff;
        const wait = error.retryAfterMs ?? FIRST_MS * 2 ** (attempt - 1) * (0.5 + random / 2);
        const ms = Math.min(MOST_MS, wait);
        progress({
          phase,
          message: `${error.message}; trying again in ${duration(ms)} (${attempt} of ${TRIES - 1})`,
        });
        await clock.sleep(ms, signal);
      }
    }
  }

  /** What the platform says of a call may quote its address. */
  #without(error: TemperError): TemperError {
    const message = without(this.address.secrets, error.message, "[key]");
    if (message === error.message) return error;
    const { code, hint, transient, retryAfterMs } = error;
    return new TemperError(code, message, {
      transient,
      ...hint !== undefined && { hint },
      ...retryAfterMs !== undefined && { retryAfterMs },
    });
  }
}

/** A call that failed. `unsure`: the service may have done it all the same. */
export class CallError extends Error {
  constructor(readonly error: TemperError, readonly unsure: boolean) {
    super(error.message, { cause: error });
  }
}

/**
 * The client reads `error` of a refusal alone; FastAPI services say `detail`. Services like to quote what they were
 * sent, so secrets are taken out of whatever they say in JSON.
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

/** Follows what is only read to where the service points, without the key where that is somebody else. */
async function fetchFollowing(
  input: Parameters<typeof fetch>[0],
  init: Parameters<typeof fetch>[1],
  left = MOST_POINTERS,
): Promise<Response> {
  const response = await fetch(input, { ...init, redirect: "manual" });
  const { status, headers, body, url } = response;
  if (status < 300 || status >= 400) return response;
  await body?.cancel();
  const location = headers.get("location") ?? "";
  const to = URL.canParse(location, url) ? new URL(location, url) : undefined;
  if (to === undefined || left === 0 || (init?.method ?? "GET").toUpperCase() !== "GET") {
    const message = `the service sends its callers on to ${to?.origin ?? "nowhere"}`;
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
