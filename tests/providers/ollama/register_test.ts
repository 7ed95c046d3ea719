// deno-lint-ignore-file no-console -- says which tests are skipped, and why
import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { TemperError, UsageError } from "../../../src/lib/errors.ts";
import { blobOf, register } from "../../../src/providers/ollama/register.ts";
import { clientOf, registerWork, requestOf } from "./kit.ts";
import { startProxy } from "./proxy.ts";
import { startOllama, WITHOUT_OLLAMA } from "./server.ts";

const ignore = WITHOUT_OLLAMA;
const folder = () => Deno.makeTempDir({ prefix: "temper-register-" });

Deno.test({
  name: "register() sends the file once, sets template, system prompt and parameters, and may be repeated",
  ignore,
  async fn() {
    await using ollama = await startOllama({ engine: false });
    const client = clientOf(ollama.address);
    const request = await requestOf(await folder());
    const { work, said } = registerWork();
    const registered = await register(client, request, work);
    assert.deepEqual(registered, { model: "home", previous: undefined, replaced: false, jinja: false });
    assert.equal(said.filter(({ phase }) => phase === "upload").at(-1)?.done, request.gguf.bytes);
    const shown = (await client.show("home"))!;
    assert.equal(shown.template, request.serving.template);
    assert.equal(shown.system, "Home:");
    assert.equal(blobOf(shown), request.gguf.sha256);
    for (const line of ["repeat_penalty +1", "num_ctx +2048", "temperature +0", 'stop +"<\\|im_end\\|>"']) {
      assert.match(shown.parameters, new RegExp(`^${line}$`, "m"));
    }
    said.length = 0;
    await register(client, request, work);
    assert.deepEqual(said.filter(({ phase }) => phase === "upload"), []);
  },
});

Deno.test({
  name: "register() replaces what temper made, keeps it on request, and leaves what others made alone",
  ignore,
  async fn() {
    await using ollama = await startOllama({ engine: false });
    const client = clientOf(ollama.address);
    const dir = await folder();
    const { work } = registerWork();
    const first = await requestOf(dir, { model: "team/home:v2" }, { vocab: 11 });
    await register(client, first, work);
    const second = await requestOf(dir, { model: "team/home:v2", keepPrevious: true }, { vocab: 12 });
    const kept = await register(client, second, work);
    assert.deepEqual(kept, {
      model: "team/home:v2",
      previous: "team/home-previous:v2",
      replaced: true,
      jinja: false,
    });
    assert.equal(blobOf((await client.show("team/home-previous:v2"))!), first.gguf.sha256);
    assert.equal(blobOf((await client.show("team/home:v2"))!), second.gguf.sha256);
    // The same model again is not the one before it.
    assert.equal((await register(client, second, work)).previous, undefined);
    assert.equal(blobOf((await client.show("team/home-previous:v2"))!), first.gguf.sha256);

    const foreign = await requestOf(dir, { model: "other" }, { texts: {} });
    const stranger = await requestOf(dir, { model: "other" });
    await client.sendBlob(`sha256:${foreign.gguf.sha256}`, foreign.gguf.path, work.fs, () => {});
    const files = { "m.gguf": `sha256:${foreign.gguf.sha256}` };
    await client.create({ model: "other", files, template: "", parameters: {} }, () => {});
    await assert.rejects(register(client, stranger, work), (error) => {
      assert(error instanceof UsageError);
      assert.match(
        error.message,
        /^Cannot register "other" at .*: a model with this name exists, and temper did not make it$/,
      );
      assert.match(error.hint!, /provider\.overwrite: true/);
      return true;
    });
    assert.equal(blobOf((await client.show("other"))!), foreign.gguf.sha256);
    const taken = await register(client, { ...stranger, overwrite: true }, work);
    assert.deepEqual(taken, { model: "other", previous: undefined, replaced: true, jinja: false });
  },
});

Deno.test({
  name: "register() sends the file again after a connection that broke, and asks first whether it arrived",
  ignore,
  async fn() {
    await using ollama = await startOllama({ engine: false });
    let left = 2;
    const isUpload = (head: string) => head.startsWith("POST /api/blobs/");
    await using proxy = startProxy(ollama.address, {
      cutAfter: (head) => isUpload(head) && left-- > 0 ? 300_000 : undefined,
    });
    const request = await requestOf(await folder(), {}, { vocab: 8_000 });
    const { work } = registerWork();
    await register(clientOf(proxy.address), request, work);
    assert.equal(proxy.cuts, 2);
    assert.equal(blobOf((await clientOf(ollama.address).show("home"))!), request.gguf.sha256);

    left = Infinity;
    const other = await requestOf(await folder(), {}, { vocab: 8_001 });
    await assert.rejects(register(clientOf(proxy.address), other, work), (error) => {
      assert(error instanceof TemperError);
      assert.equal(error.code, "ollama-unreachable");
      assert.ok(error.transient);
      return true;
    });
    assert.equal(blobOf((await clientOf(ollama.address).show("home"))!), request.gguf.sha256);
  },
});

Deno.test({
  name: "register() takes nothing for registered when the server dies on the way, and goes on afterwards",
  ignore,
  async fn() {
    const models = await folder();
    const request = await requestOf(await folder());
    const { work } = registerWork();
    const dying = await startOllama({ engine: false, models });
    await using proxy = startProxy(dying.address, {
      async cutAfter(head) {
        if (!head.startsWith("POST /api/create")) return undefined;
        await dying.kill();
        return 0;
      },
    });
    await assert.rejects(register(clientOf(proxy.address), request, work), { code: "ollama-unreachable" });
    await using again = await startOllama({ engine: false, models });
    assert.equal(await clientOf(again.address).show("home"), undefined);
    await register(clientOf(again.address), request, work);
    assert.equal(blobOf((await clientOf(again.address).show("home"))!), request.gguf.sha256);
  },
});

Deno.test({
  name: "register() gives the server's own words and what to do: full disk, adapter file",
  ignore,
  async fn(t) {
    const { work } = registerWork();
    await t.step("an adapter alone is no model", async () => {
      await using ollama = await startOllama({ engine: false });
      const adapter = await requestOf(await folder(), {}, { texts: { "general.type": "adapter" } });
      await assert.rejects(register(clientOf(ollama.address), adapter, work), (error) => {
        assert(error instanceof TemperError);
        assert.equal(error.code, "ollama-refused");
        assert.match(error.message, /LoRA adapter/);
        return true;
      });
    });
    await t.step("full disk", async (step) => {
      const disk = await folder();
      const mounted = await new Deno.Command("mount", {
        args: ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk],
        stderr: "null",
      }).output().catch(() => undefined);
      if (!mounted?.success) return void console.warn(`skipped ${step.name}: mounting needs root`);
      try {
        await using ollama = await startOllama({ engine: false, models: join(disk, "models") });
        const large = await requestOf(await folder(), {}, { vocab: 8_000 });
        await assert.rejects(register(clientOf(ollama.address), large, work), (error) => {
          assert(error instanceof TemperError);
          assert.match(error.message, /no space left on device/);
          assert.match(error.hint!, /Free space where the server keeps its models/);
          return true;
        });
        assert.equal(await clientOf(ollama.address).show("home"), undefined);
      } finally {
        await new Deno.Command("umount", { args: [disk] }).output();
      }
    });
  },
});
