import type { ChatRequest as PackageChat, CreateRequest as PackageCreate, Ollama } from "ollama";
import { type Address, addressOf } from "../../lib/net/address.ts";
import type { Fs } from "../../lib/files/fs.ts";
import { Connection, NotFoundError, QUICK_MS } from "./connection.ts";
import { Answer, type ChatRequest, type CreateRequest, Shown, Version } from "./wire.ts";

/** npm:ollama only builds paths below it: the connection knows the address. */
const HOST = "http://ollama";

/**
 * The calls of Ollama's API that registering needs: npm:ollama over temper's own connection, and the blobs, which the
 * package does not have. Every method throws a TemperError.
 */
export class OllamaClient {
  readonly #connection: Connection;

  constructor(address: string | Address, signal: AbortSignal) {
    this.#connection = new Connection(typeof address === "string" ? addressOf(address) : address, signal);
  }

  /** Contains secrets: only `shown` may be printed. */
  get address(): Address {
    return this.#connection.address;
  }

  /** The address without its secrets. */
  get server(): string {
    return this.#connection.server;
  }

  async version(): Promise<string> {
    return this.#connection.check(Version, await (await this.#ollama()).version()).version;
  }

  /** `undefined` when the server has no model of this name. */
  async show(model: string): Promise<Shown | undefined> {
    const shown = await unlessNotFound((await this.#ollama()).show({ model }));
    return shown && this.#connection.check(Shown, shown);
  }

  /** False when there was none of this name. */
  async remove(model: string): Promise<boolean> {
    return await unlessNotFound((await this.#ollama()).delete({ model })) !== undefined;
  }

  /** Gives a model a second name. */
  async copy(source: string, destination: string): Promise<void> {
    await (await this.#ollama()).copy({ source, destination });
  }

  async chat({ renderOnly, ...request }: ChatRequest): Promise<Answer> {
    const sent = { ...request, stream: false, ...renderOnly && { _debug_render_only: true } };
    // The package's types have no `_debug_render_only`, and no readonly lists.
    const answer = await (await this.#ollama()).chat(sent as unknown as PackageChat & { stream: false });
    return this.#connection.check(Answer, answer);
  }

  /** Makes a model of blobs that the server has. Throws unless the server ends with "success". */
  async create(request: CreateRequest, onStatus: (status: string) => void): Promise<void> {
    // The package's types have no `files`.
    const sent = { ...request, stream: true } as unknown as PackageCreate & { stream: true };
    for await (const { status } of await (await this.#ollama()).create(sent)) onStatus(status);
  }

  async hasBlob(digest: string): Promise<boolean> {
    const response = await this.#connection.send(`/api/blobs/${digest}`, {
      method: "HEAD",
      limitMs: QUICK_MS,
    });
    await response.body?.cancel();
    if (response.status !== 404) await this.#connection.refuse(response);
    return response.ok;
  }

  /** Sends a file. The server checks its digest (`sha256:<hex>`). `onBytes` takes the bytes sent so far. */
  async sendBlob(digest: string, path: string, fs: Fs, onBytes: (sent: number) => void): Promise<void> {
    let sent = 0;
    const body = fs.readStream(path).pipeThrough(
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform(chunk, controller) {
          onBytes(sent += chunk.length);
          controller.enqueue(chunk);
        },
      }),
    );
    const response = await this.#connection.send(`/api/blobs/${digest}`, { method: "POST", body });
    await this.#connection.refuse(response);
    await response.body?.cancel();
  }

  async #ollama(): Promise<Ollama> {
    const { Ollama } = await import("ollama");
    return new Ollama({ host: HOST, fetch: this.#connection.fetch });
  }
}

async function unlessNotFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
