// deno-lint-ignore-file no-console -- what the client prints is looked at
import assert from "../../deps/assert.ts";
import { TemperError } from "../../../src/lib/errors.ts";
import { register } from "../../../src/providers/ollama/register.ts";
import { clientOf, registerWork, requestOf } from "./kit.ts";

type Route = (request: Request) => Response | Promise<Response>;

/** A server with the answers of older or ailing ones. Every call must be foreseen. */
async function withServer(routes: Record<string, Route>, use: (address: string) => Promise<void>) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const route = Object.keys(routes).find((key) => `${request.method} ${pathname}`.startsWith(key));
    assert.ok(route, `${request.method} ${pathname}`);
    return await routes[route]!(request);
  });
  try {
    await use(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

function lines(...values: object[]): Response {
  return new Response(values.map((value) => JSON.stringify(value) + "\n").join(""));
}

const MISSING = () => Response.json({ error: "model not found" }, { status: 404 });

async function folder() {
  return await Deno.makeTempDir({ prefix: "temper-client-" });
}

/** Ollama 0.24: no model_info of ours matters to it, other words on the way, the same end. */
Deno.test("register() works with an older server, however slowly it answers", async () => {
  const request = await requestOf(await folder());
  let made: Record<string, unknown> | undefined;
  const shown = () => ({
    modelfile: `# comment\nFROM /models/blobs/sha256-${request.gguf.sha256}\nTEMPLATE x\n`,
    template: request.serving.template,
    system: request.serving.system,
  });
  const routes: Record<string, Route> = {
    "POST /api/show": () => made ? Response.json(shown()) : MISSING(),
    "HEAD /api/blobs/": () => new Response(null, { status: 404 }),
    "POST /api/blobs/": async (sent) => {
      await sent.arrayBuffer();
      return new Response(null, { status: 201 });
    },
    "POST /api/create": async (sent) => {
      made = await sent.json();
      const encoder = new TextEncoder();
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          for (const status of ["parsing GGUF", "using autodetected template chatml", "success"]) {
            // Lines come in pieces.
            const text = encoder.encode(`{"status":"${status}"}\n`);
            controller.enqueue(text.subarray(0, 5));
            await new Promise((resolve) => setTimeout(resolve, 30));
            controller.enqueue(text.subarray(5));
          }
          controller.close();
        },
      });
      return new Response(body);
    },
  };
  await withServer(routes, async (address) => {
    const { work, said } = registerWork();
    await register(clientOf(address), request, work);
    assert.deepEqual(made, {
      model: "home",
      stream: true,
      files: { "model.gguf": `sha256:${request.gguf.sha256}` },
      template: request.serving.template,
      system: "Home:",
      parameters: { stop: ["<|im_end|>"], temperature: 0, repeat_penalty: 1, num_ctx: 2048 },
    });
    assert.ok(said.some(({ phase }) => phase === "register: using autodetected template chatml"));
  });
});

Deno.test("register() believes a server only what it shows afterwards", async () => {
  const request = await requestOf(await folder());
  const other = `FROM /models/blobs/sha256-${"0".repeat(64)}\n`;
  let asked = 0;
  const routes: Record<string, Route> = {
    "POST /api/show": () => asked++ === 0 ? MISSING() : Response.json({ modelfile: other }),
    "HEAD /api/blobs/": () => new Response(null),
    "POST /api/create": () => lines({ status: "success" }),
  };
  await withServer(routes, async (address) => {
    const { work } = registerWork();
    await assert.rejects(register(clientOf(address), request, work), /but its weights differ/);
  });
});

async function created(response: () => Response): Promise<TemperError> {
  let failure: unknown;
  await withServer({ "POST /api/create": response }, async (address) => {
    const request = { model: "home", files: {}, template: "", parameters: {} };
    failure = await clientOf(address).create(request, () => {}).catch((error) => error);
  });
  assert(failure instanceof TemperError, String(failure));
  return failure;
}

Deno.test("create() takes an error in the middle of a good answer for one", async () => {
  const error = await created(() =>
    lines({ status: "parsing GGUF" }, { error: "unsupported architecture" }, { status: "success" })
  );
  assert.equal(error.code, "ollama-refused");
  assert.match(error.message, /: unsupported architecture$/);
});

Deno.test('create() takes only a last "success" for success', async () => {
  for (const values of [[], [{ status: "writing manifest" }], [{ status: "success" }, { status: "more" }]]) {
    const error = await created(() => lines(...values));
    assert.equal(error.code, "ollama-unreachable");
    assert.match(error.message, /the response ended after "(nothing|writing manifest|more)"/);
  }
  const error = await created(() => new Response("<html>\n"));
  assert.match(error.message, /: it answers with an HTML page$/);
});

Deno.test("the client prints nothing, whatever a server answers", async () => {
  const kinds = ["log", "warn", "error"] as const;
  const before = kinds.map((kind) => console[kind]);
  const printed: unknown[] = [];
  for (const kind of kinds) console[kind] = (...words: unknown[]) => void printed.push(words);
  try {
    for (const headers of [{ "content-type": "application/json" }, { "content-type": "text/plain" }]) {
      await created(() => new Response("{oops", { status: 500, headers }));
      await created(() => new Response('{oops\n{"status":"success"}\n', { headers }));
    }
  } finally {
    kinds.forEach((kind, i) => console[kind] = before[i]!);
  }
  assert.deepEqual(printed, []);
});

Deno.test("sendBlob() says that a digest is wrong", async () => {
  const { gguf } = await requestOf(await folder());
  const refuse = async (request: Request) => {
    await request.arrayBuffer();
    return Response.json({ error: `digest mismatch, expected "a", got "b"` }, { status: 400 });
  };
  await withServer({ "POST /api/blobs/": refuse }, async (address) => {
    const { work } = registerWork();
    const sent = clientOf(address).sendBlob(`sha256:${gguf.sha256}`, gguf.path, work.fs, () => {});
    await assert.rejects(sent, (error) => {
      assert(error instanceof TemperError);
      assert.match(error.message, /digest mismatch/);
      assert.match(error.hint!, /The file changed on its way/);
      return true;
    });
  });
});

Deno.test("version() tells a server that is not there from one that is something else", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await assert.rejects(clientOf(`http://127.0.0.1:${port}`).version(), (error) => {
    assert(error instanceof TemperError);
    assert.equal(error.message, `Cannot reach Ollama at http://127.0.0.1:${port}: connection refused`);
    assert.equal(error.hint, "Start it with: ollama serve");
    return true;
  });
  await withServer({ "GET /api/version": () => new Response("hello") }, async (address) => {
    await assert.rejects(clientOf(address).version(), /it answers "hello"/);
  });
});
