import assert from "node:assert/strict";
import { temper } from "../../commands/cli_kit.ts";
import { good, withFolder } from "../../spec/kit.ts";

const FILE = good("  model: home-lora\n", "  model: home-lora\n  auth_env: GPU_LOGIN\n");

async function checked(env: Record<string, string>, file = FILE) {
  let called = { code: -1, out: "", err: "" };
  await withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/a.yaml`, file);
    called = await temper(["check", "a.yaml"], { cwd: dir, env });
  });
  return called;
}

Deno.test("check takes credentials that can be sent, and those that are not set here", async () => {
  const good = [
    {},
    { GPU_LOGIN: "me:pass wörd" },
    { GPU_LOGIN: "token-1", OLLAMA_HOST: "https://gpu.example/ollama" },
    { GPU_LOGIN: "token-1", OLLAMA_HOST: "0.0.0.0:1" },
    { OLLAMA_HOST: "http://gpu.example:1" },
    { OLLAMA_HOST: "https://me:hunter2@gpu.example" },
  ];
  for (const env of good) assert.equal((await checked(env)).code, 0, JSON.stringify(env));
});

Deno.test("check refuses credentials that cannot be sent, would be readable, or are quoted in the file", async () => {
  const bad: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ GPU_LOGIN: "" }, /:17:13: Cannot use GPU_LOGIN \(provider\.auth_env\): it is empty/],
    [{ GPU_LOGIN: "hunter\ntwo-2" }, /it contains a line break/],
    [{ GPU_LOGIN: "me:hunter-2 " }, /it begins or ends with white space/],
    [
      { GPU_LOGIN: "hunter-2", OLLAMA_HOST: "gpu.example" },
      /Cannot send GPU_LOGIN to http:\/\/gpu\.example:11434: http:/,
    ],
    [
      { OLLAMA_HOST: "me:hunter-2@gpu.example" },
      /:14:9: Cannot send the secrets in OLLAMA_HOST to http:\/\/gpu\.example/,
    ],
    [{ OLLAMA_HOST: "ftp://me:hunter-2@gpu" }, /Cannot use the address in OLLAMA_HOST: it is neither http/],
    [
      { OLLAMA_HOST: "http://me:hunter-2@gp u" },
      /Cannot use the address in OLLAMA_HOST: it is not an address/,
    ],
    [{ GPU_LOGIN: "home-lora" }, /:2:7: Key in name: /],
  ];
  for (const [env, found] of bad) {
    const { code, out } = await checked(env);
    assert.equal(code, 2, JSON.stringify(env));
    assert.match(out, found);
    assert.ok(!out.includes("hunter"), out);
  }
});
