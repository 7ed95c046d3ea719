import { type Address, below, isSecret, without, withoutLong } from "../../lib/net/address.ts";
import { TemperError } from "../../lib/errors.ts";
import { readLines } from "../../lib/files/lines.ts";
import { causeOf } from "../../lib/system_error.ts";
import { Failure, Status } from "./wire.ts";

/** Milliseconds in which a running server answers a trivial request. */
export const QUICK_MS = 5_000;

const VERSION = "/api/version";
const CREATE = "/api/create";
/** Calls whose answers have no body. */
const SILENT: readonly string[] = ["/api/copy", "/api/delete"];

interface Sent {
  readonly method: string;
  readonly body?: BodyInit;
  readonly headers?: HeadersInit;
  readonly signal?: AbortSignal;
  readonly limitMs?: number;
}

/** The server has no model of this name, or no such path. */
export class NotFoundError extends TemperError {}

/**
 * Requests to one Ollama server, with the address's credentials. Failures are TemperErrors: `ollama-unreachable`
 * (transient) when no server answers, `ollama-refused` with the server's own words otherwise.
 */
export class Connection {
  constructor(readonly address: Address, readonly signal: AbortSignal) {}

  /** The address without its secrets. */
  get server(): string {
    return this.address.shown;
  }

  /**
   * The fetch of npm:ollama. It passes on only what the package can read: the package prints refusals and lines that are
   * not JSON to the terminal, and takes the first "success" of a creation for its end.
   */
  readonly fetch: typeof fetch = async (input, init) => {
    const path = new URL(String(input)).pathname;
    const { method = "GET", body, headers, signal } = init ?? {};
    const response = await this.send(path, {
      method,
      ...headers && { headers },
      ...body && { body },
      ...signal && { signal },
      ...path === VERSION && { limitMs: QUICK_MS },
    });
    await this.refuse(response);
    if (path === CREATE) return new Response(this.#statusLines(response));
    const text = await this.#textOf(response);
    if (SILENT.includes(path)) return new Response();
    this.parse(text);
    return new Response(text);
  };

  /** One request. Any answer but a redirect is returned. */
  async send(path: string, { limitMs, signal, headers, method, body }: Sent): Promise<Response> {
    const signals = [this.signal, ...signal ? [signal] : []];
    if (limitMs !== undefined) signals.push(AbortSignal.timeout(limitMs));
    const sent = new Headers(headers);
    const { authorization } = this.address;
    if (authorization !== undefined) sent.set("authorization", authorization);
    let response: Response;
    try {
      response = await fetch(below(this.address, path), {
        method,
        headers: sent,
        signal: AbortSignal.any(signals),
        // Following could turn a POST into a GET, and take a secret to another machine.
        redirect: "manual",
        ...body !== undefined && { body },
      });
    } catch (error) {
      this.signal.throwIfAborted();
      throw this.#unreachable(error);
    }
    if (response.status < 300 || response.status > 399) return response;
    await response.body?.cancel();
    throw this.#redirected(response.headers.get("location"));
  }

  /** Throws unless the status is one of success. */
  async refuse(response: Response): Promise<void> {
    if (response.ok) return;
    const { status } = response;
    const text = this.#masked(await response.text().catch(() => ""));
    if (status === 401 || status === 403) throw this.#locked(status);
    if (isPage(text)) throw this.notOllama(text);
    throw this.#refused(errorOf(text) ?? `HTTP ${status}`, status);
  }

  parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw this.notOllama(text, cause);
    }
  }

  /** For an answer that is not one of Ollama's. */
  notOllama(answer: string, cause?: unknown): TemperError {
    const text = this.#masked(answer);
    const found = text.length > 80 ? `${text.slice(0, 80)}…` : text;
    const what = isPage(text) ? "it answers with an HTML page" : `it answers ${JSON.stringify(found)}`;
    return new TemperError("ollama-refused", `Cannot understand the server at ${this.server}: ${what}`, {
      cause,
      hint: "Is this an Ollama server? Check the address and its path",
    });
  }

  async #textOf(response: Response): Promise<string> {
    try {
      return withoutLong(this.address.secrets, await response.text());
    } catch (error) {
      this.signal.throwIfAborted();
      throw this.#unreachable(error);
    }
  }

  /** The lines of a creation, "success" only where it is the last. Fails on an error and on any other end. */
  #statusLines(response: Response): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder();
    const lines = this.#readStatus(response);
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await lines.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
      },
    });
  }

  async *#readStatus(response: Response): AsyncGenerator<{ readonly status: string }> {
    let last = "nothing";
    try {
      for await (const { lines } of readLines(response.body ?? new ReadableStream())) {
        for (const line of lines.filter((text) => text.trim() !== "")) {
          const text = withoutLong(this.address.secrets, line);
          const { status, error } = this.check(Status, this.parse(text));
          if (error !== undefined) throw this.#refused(this.#masked(error));
          last = status;
          if (status !== "success") yield { status };
        }
      }
    } catch (error) {
      this.signal.throwIfAborted();
      throw error instanceof TemperError ? error : this.#unreachable(error);
    }
    if (last === "success") return yield { status: last };
    throw new TemperError(
      "ollama-unreachable",
      `Cannot create the model at ${this.server}: the response ended after "${last}"`,
      { transient: true, hint: "Check the server's log; the files are complete, so nothing is lost" },
    );
  }

  /** A value in the form that Ollama answers in. */
  check<T>(schema: { parse(value: unknown): T }, value: unknown): T {
    try {
      return schema.parse(value);
    } catch (cause) {
      throw this.notOllama(JSON.stringify(value) ?? "nothing", cause);
    }
  }

  /** A server may quote what it was sent. */
  #masked(text: string): string {
    return without(this.address.secrets, text);
  }

  #locked(status: number): TemperError {
    const sent = isSecret(this.address);
    const found = sent ? "it does not accept the credentials" : "it asks for credentials";
    return new TemperError("ollama-refused", `Cannot use ${this.server}: ${found} (HTTP ${status})`, {
      hint: sent
        ? "Check the variable that contains them: a token, or USER:PASSWORD"
        : "Set provider.auth_env to the name of a variable that contains a token or USER:PASSWORD",
    });
  }

  #redirected(location: string | null): TemperError {
    const to = location !== null && URL.canParse(location, this.server)
      ? new URL(location, this.server)
      : undefined;
    const found = to ? `it redirects to ${to.origin}` : "it redirects elsewhere";
    return new TemperError("ollama-refused", `Cannot use ${this.server}: ${found}`, {
      hint: "Use the address that it redirects to",
    });
  }

  #refused(words: string, status?: number): TemperError {
    const hint = hintFor(words);
    const kind = status === 404 ? NotFoundError : TemperError;
    return new kind("ollama-refused", `Cannot use ${this.server}: ${words}`, {
      transient: status === 429 || status === 503,
      ...hint !== undefined && { hint },
    });
  }

  #unreachable(error: unknown): TemperError {
    if (error instanceof Deno.errors.NotCapable) {
      const found = "this command may contact only servers on this machine";
      return new TemperError("ollama-elsewhere", `Cannot contact Ollama at ${this.server}: ${found}`);
    }
    const timedOut = error instanceof DOMException && error.name === "TimeoutError";
    const found = timedOut ? "it does not answer in time" : this.#masked(causeOf(error));
    return new TemperError("ollama-unreachable", `Cannot reach Ollama at ${this.server}: ${found}`, {
      transient: true,
      hint: "Start it with: ollama serve",
    });
  }
}

function errorOf(text: string): string | undefined {
  try {
    return Failure.parse(JSON.parse(text)).error;
  } catch {
    return text.trim() === "" ? undefined : text.trim().split("\n")[0];
  }
}

/** A web page, where JSON was asked for. */
function isPage(text: string): boolean {
  return /^\s*<(!doctype|html|head|body|\?xml)/i.test(text);
}

/** What to do about refusals that a user can fix. */
function hintFor(words: string): string | undefined {
  if (/no space left|disk/i.test(words)) {
    return "Free space where the server keeps its models (OLLAMA_MODELS)";
  }
  if (/digest mismatch|expected sha256/i.test(words)) {
    return "The file changed on its way: check the disk and run the same command again";
  }
  return undefined;
}
