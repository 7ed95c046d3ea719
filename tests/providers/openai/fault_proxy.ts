/** What goes wrong on the way to a service, for the next `times` requests that fit. */
export interface Fault {
  /** Such as `POST /fine_tuning/jobs`. */
  readonly on: RegExp;
  readonly times?: number;
  /** Not before such a request came. */
  readonly after?: RegExp;
  /**
   * `lost`: the service does it, and nobody hears of it. `cut`: half of the answer comes. `stuck`: the same, and then
   * silence. `slow`: it comes in small pieces. Otherwise the reply in place of the service's.
   */
  readonly does: "lost" | "cut" | "stuck" | "slow" | {
    readonly status: number;
    readonly body: unknown;
    readonly headers?: HeadersInit;
  };
  /** The request is held until then. */
  readonly until?: Promise<unknown>;
}

/** Stands in front of a service and lets through what no fault is for. */
export class FaultProxy implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #left: { fault: Fault; times: number }[];
  /** Every request that came, such as `GET /files`. */
  readonly requests: string[] = [];

  constructor(private readonly target: string, faults: readonly Fault[]) {
    this.#left = leftOf(faults);
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      (request) => this.#pass(request),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/v1`;
  }

  count(on: RegExp): number {
    return this.requests.filter((request) => on.test(request)).length;
  }

  /** From now on only these go wrong. */
  heal(...faults: readonly Fault[]): void {
    this.#left = leftOf(faults);
  }

  async [Symbol.asyncDispose]() {
    await this.#server.shutdown();
  }

  async #pass(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const path = pathname.replace(/^\/v1/, "");
    const entry = this.#left.find(({ fault: { on, after }, times }) =>
      times > 0 && on.test(`${request.method} ${path}`) && (!after || this.count(after) > 0)
    );
    this.requests.push(`${request.method} ${path}`);
    if (entry) entry.times--;
    const does = entry?.fault.does;
    await entry?.fault.until;
    if (typeof does === "object") {
      return Response.json(does.body, { status: does.status, headers: does.headers ?? {} });
    }
    const body = request.body ? await request.arrayBuffer() : null;
    const headers = new Headers(request.headers);
    headers.delete("host");
    headers.delete("content-length");
    const reply = await fetch(`${this.target}${path}${search}`, { method: request.method, headers, body });
    const text = await reply.text();
    if (does === undefined) {
      return new Response(text, { status: reply.status, headers: { "content-type": "application/json" } });
    }
    return new Response(BODIES[does](text), { headers: { "content-type": "application/json" } });
  }
}

function leftOf(faults: readonly Fault[]): { fault: Fault; times: number }[] {
  return faults.map((fault) => ({ fault, times: fault.times ?? 1 }));
}

const BODIES = {
  lost: () => broken(""),
  cut: (text: string) => broken(text.slice(0, text.length / 2)),
  stuck: (text: string) => pieces([text.slice(0, text.length / 2)], () => {}),
  slow: (text: string) => pieces(text.match(/.{1,40}/gs) ?? [], (controller) => controller.close()),
};

/** Sends what there is, then breaks the connection. */
function broken(text: string): ReadableStream<Uint8Array> {
  return pieces([text], (controller) => controller.error(new Error("cut")));
}

function pieces(
  texts: readonly string[],
  end: (controller: ReadableStreamDefaultController) => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      for (const text of texts) {
        controller.enqueue(new TextEncoder().encode(text));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      end(controller);
    },
  });
}
