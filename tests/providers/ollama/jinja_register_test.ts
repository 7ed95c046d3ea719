// deno-lint-ignore-file camelcase -- names of the format
import assert from "../../deps/assert.ts";
import { TemperError } from "../../../src/lib/errors.ts";
import { register } from "../../../src/providers/ollama/register.ts";
import { clientOf, registerWork, requestOf } from "./kit.ts";
import { startOllama, WITHOUT_OLLAMA } from "./server.ts";

/** As the trainer puts one before the Jinja it exports. */
const MARK = `{# ${"═".repeat(100)} #}\n`;

/** Plain ChatML, which Ollama knows. */
const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/** A file with this chat template, to be served by it alone. */
async function jinjaRequest(dir: string, inFile: string, tools = "") {
  const chat_template = tools + CHATML;
  const texts = { "temper.method": "lora", "tokenizer.chat_template": inFile + chat_template };
  const request = await requestOf(dir, {}, { texts });
  const { template: _, ...serving } = request.serving;
  return { ...request, serving: { ...serving, chat_template } };
}

Deno.test({
  name: "register() has the file's own chat template render, and says so when the server takes another one",
  ignore: WITHOUT_OLLAMA,
  async fn() {
    await using ollama = await startOllama({ engine: false });
    const client = clientOf(ollama.address);
    const dir = await Deno.makeTempDir({ prefix: "temper-jinja-" });
    const { work, said } = registerWork();
    const registered = await register(client, await jinjaRequest(dir, MARK), work);
    assert.equal(registered.jinja, true);
    assert.equal((await client.show("home"))!.template, MARK + CHATML);
    assert.ok(!said.some(({ phase }) => phase.includes("autodetected")));
    const unmarked = await jinjaRequest(dir, "");
    await assert.rejects(register(client, unmarked, work), /says "success", but its template differs/);
    assert.ok(said.some(({ phase }) => phase.includes("autodetected template chatml")));
  },
});

Deno.test({
  name:
    "register() takes the file's chat template for the one that was sent where it knows tools and that one none",
  ignore: WITHOUT_OLLAMA,
  async fn() {
    await using ollama = await startOllama({ engine: false });
    const dir = await Deno.makeTempDir({ prefix: "temper-jinja-" });
    const { work } = registerWork();
    const request = await jinjaRequest(dir, MARK, "{% if tools %}{{ tools }}{% endif %}");
    const { template } = (await requestOf(dir)).serving;
    const both = { ...request, serving: { ...request.serving, ...template !== undefined && { template } } };
    assert.equal((await register(clientOf(ollama.address), both, work)).jinja, true);
  },
});

Deno.test("register() refuses a server that renders no Jinja, by its version, and sends it nothing", async () => {
  const asked: string[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, ({ url }) => {
    asked.push(new URL(url).pathname);
    return Response.json({ version: "0.24.0" });
  });
  const dir = await Deno.makeTempDir({ prefix: "temper-jinja-" });
  const client = clientOf(`http://127.0.0.1:${server.addr.port}`);
  const { work } = registerWork();
  const refused = await register(client, await jinjaRequest(dir, MARK), work).catch((error) => error);
  assert.ok(refused instanceof TemperError);
  assert.equal(refused.code, "ollama-too-old");
  assert.match(refused.message, /"home" at .*: Ollama 0\.24\.0 .*Jinja/);
  assert.match(refused.hint!, /Update Ollama to 0\.30 or newer/);
  assert.deepEqual(asked, ["/api/version"]);
});
