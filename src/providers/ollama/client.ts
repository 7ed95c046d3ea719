import type { z } from "../../deps/zod.ts";
import { type Address, addressOf, below, isSecret, without, withoutLong } from "../../lib/net/address.ts";
import { TemperError } from "../../lib/errors.ts";
import type { Fs } from "../../lib/files/fs.ts";
import { readLines } from "../../lib/files/lines.ts";
import { Answer, type ChatRequest, type CreateRequest, Failure, Shown, Status, Version } from "./wire.ts";

/** Milliseconds in which a server that is there answers a question that costs it nothing. */
const QUICK_MS = 5_000;

/**
 * The calls of Ollama's API that registering needs (docs/api.md of ollama/ollama). npm:ollama has no blobs and
 * prints to stdout when an error is not JSON, which no command here may. Every method throws a TemperError: `ollama-unreachable`
 * (transient) when no server answers, `ollama-refused` with the server's own words otherwise.
 */
export class OllamaClient {
  /** Holds secrets: only `shown` may be written. */
  readonly address: Address;

  constructor(address: string | Address, private readonly signal: AbortSignal) {
    this.address = typeof address === "string" ? addressOf(address) : address;
  }

  /** Its address without what is secret about it. */
  get server(): string {
    return this.address.shown;
  }

  async version(): Promise<string> {
    const response = await this.#send("/api/version", { limitMs: QUICK_MS });
    return (await this.#read(response, Version)).version;
  }

  /** `undefined` when the server has no model of this name. */
  async show(model: string): Promise<Shown | undefined> {
    const response = await this.#send("/api/show", { json: { model } });
    if (response.status === 404) return void await response.body?.cancel();
    return await this.#read(response, Shown);
  }

  /** False when there was none of this name. */
  async remove(model: string): Promise<boolean> {
    const response = await this.#send("/api/delete", { method: "DELETE", json: { model } });
    if (response.status !== 404) await this.#refuse(response);
    await response.body?.cancel();
    return response.ok;
  }

  /** Gives a model a second name. */
  async copy(source: string, destination: string): Promise<void> {
    const response = await this.#send("/api/copy", { json: { source, destination } });
    await this.#refuse(response);
    await response.body?.cancel();
  }

  async chat({ renderOnly, ...request }: ChatRequest): Promise<Answer> {
    const json = { ...request, stream: false, ...renderOnly && { _debug_render_only: true } };
    return await this.#read(await this.#send("/api/chat", { json }), Answer);
  }

  async hasBlob(digest: string): Promise<boolean> {
    const response = await this.#send(`/api/blobs/${digest}`, { method: "HEAD", limitMs: QUICK_MS });
    await response.body?.cancel();
    if (response.status !== 404) await this.#refuse(response);
    return response.ok;
  }

  /** Sends a file. The server checks its digest (`sha256:<hex>`). `onBytes` takes the bytes sent so far. */
  async sendBlob(digest: string, path: string, fs: Fs, onBytes: (sent: number) => void): Promise<void> {
    let sent = 0;
    const counted = fs.readStream(path).pipeThrough(
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform(chunk, controller) {
          onBytes(sent += chunk.length);
          controller.enqueue(chunk);
        },
      }),
    );
    const response = await this.#send(`/api/blobs/${digest}`, { method: "POST", body: counted });
    await this.#refuse(response);
    await response.body?.cancel();
  }

  /** Makes a model of blobs that the server has. Only the word "success" at the end is one. */
  async create(request: CreateRequest, onStatus: (status: string) => void): Promise<void> {
    const response = await this.#send("/api/create", { json: request });
    await this.#refuse(response);
    let last = "nothing";
    try {
      for await (const { lines } of readLines(response.body ?? new ReadableStream())) {
        for (const line of lines.filter((text) => text.trim() !== "")) {
          const { status, error } = this.#parse(Status, withoutLong(this.address.secrets, line));
          if (error !== undefined) throw this.#refused(this.#harmless(error));
          onStatus(last = status);
        }
      }
    } catch (error) {
      throw error instanceof TemperError ? error : this.#unreachable(error);
    }
    if (last === "success") return;
    throw new TemperError(
      "ollama-unreachable",
      `Cannot create "${request.model}" at ${this.server}: the answer ended after "${last}"`,
      { transient: true, hint: "Look at the server's log; the files are complete, so nothing is lost" },
    );
  }

  async #send(path: string, { limitMs, json, ...init }: Sent): Promise<Response> {
    const signal = limitMs === undefined
      ? this.signal
      : AbortSignal.any([this.signal, AbortSignal.timeout(limitMs)]);
    const body = json === undefined ? init.body : JSON.stringify(json);
    const method = init.method ?? (json === undefined ? "GET" : "POST");
    const { authorization } = this.address;
    const headers = authorization === undefined ? {} : { authorization };
    let response: Response;
    try {
      response = await fetch(below(this.address, path), {
        method,
        signal,
        headers,
        // Elsewhere a POST may become a GET, and a secret reach another machine.
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

  async #read<T>(response: Response, schema: z.ZodType<T>): Promise<T> {
    await this.#refuse(response);
    try {
      return this.#parse(schema, withoutLong(this.address.secrets, await response.text()));
    } catch (error) {
      this.signal.throwIfAborted();
      throw error instanceof TemperError ? error : this.#unreachable(error);
    }
  }

  #parse<T>(schema: z.ZodType<T>, text: string): T {
    try {
      return schema.parse(JSON.parse(text));
    } catch (cause) {
      throw this.#otherServer(text, cause);
    }
  }

  /** Something answers that does not speak as Ollama does. */
  #otherServer(answer: string, cause?: unknown): TemperError {
    const text = this.#harmless(answer);
    const found = text.length > 80 ? `${text.slice(0, 80)}…` : text;
    const what = isPage(text) ? "it answers with a page (HTML)" : `it answers ${JSON.stringify(found)}`;
    return new TemperError("ollama-refused", `Cannot understand the server at ${this.server}: ${what}`, {
      cause,
      hint: "Is this an Ollama server? Check the address and its path",
    });
  }

  async #refuse(response: Response): Promise<void> {
    if (response.ok) return;
    const { status } = response;
    const text = this.#harmless(await response.text().catch(() => ""));
    if (status === 401 || status === 403) throw this.#locked(status);
    if (isPage(text)) throw this.#otherServer(text);
    throw this.#refused(errorOf(text) ?? `HTTP ${status}`, status);
  }

  /** A server's words may quote what it was sent. */
  #harmless(text: string): string {
    return without(this.address.secrets, text);
  }

  #locked(status: number): TemperError {
    const sent = isSecret(this.address);
    const found = sent ? "it does not accept the credentials" : "it asks for credentials";
    return new TemperError("ollama-refused", `Cannot go on with ${this.server}: ${found} (HTTP ${status})`, {
      hint: sent
        ? "Check the variable that holds them: a token, or USER:PASSWORD"
        : "Name a variable with a token or USER:PASSWORD in provider.auth_env",
    });
  }

  #redirected(location: string | null): TemperError {
    const to = location !== null && URL.canParse(location, this.server)
      ? new URL(location, this.server)
      : undefined;
    const found = to ? `it sends its callers on to ${to.origin}` : "it sends its callers elsewhere";
    return new TemperError("ollama-refused", `Cannot go on with ${this.server}: ${found}`, {
      hint: "Name the address that it ends at",
    });
  }

  #refused(words: string, status?: number): TemperError {
    const hint = hintFor(words);
    return new TemperError("ollama-refused", `Cannot go on with ${this.server}: ${words}`, {
      transient: status === 429 || status === 503,
      ...hint !== undefined && { hint },
    });
  }

  #unreachable(error: unknown): TemperError {
    if (error instanceof Deno.errors.NotCapable) {
      const found = "this command may ask servers on this machine alone";
      return new TemperError("ollama-elsewhere", `Cannot ask Ollama at ${this.server}: ${found}`);
    }
    const timedOut = error instanceof DOMException && error.name === "TimeoutError";
    const found = timedOut ? "it does not answer in time" : this.#harmless(causeOf(error));
    return new TemperError("ollama-unreachable", `Cannot reach Ollama at ${this.server}: ${found}`, {
      transient: true,
      hint: "Start it with: ollama serve",
    });
  }
}

interface Sent {
  readonly method?: string;
  readonly json?: unknown;
  readonly body?: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly limitMs?: number;
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
  if (/no space left|disk/i.test(words)) return "Make room where the server keeps its models (OLLAMA_MODELS)";
  if (/digest mismatch|expected sha256/i.test(words)) {
    return "The file changed on its way: look at the disk and run the same command again";
  }
  return undefined;
}

/** The innermost reason, in lower case: fetch wraps the system's own words several times. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return causeOf(error.cause);
  return error.message.split(": ").at(-1)!.replace(/ \(os error \d+\)/, "").toLowerCase();
}
