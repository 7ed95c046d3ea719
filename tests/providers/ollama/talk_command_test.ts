import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { addressOf, withCredentials } from "../../../src/lib/net/address.ts";
import { talkCommand } from "../../../src/providers/ollama/talk_command.ts";

const SECRET = "s3cret-word";

Deno.test("talkCommand() is Ollama's own where that suffices, with the server where it is not the usual one", () => {
  const command = (address: string) => talkCommand("home", addressOf(address), undefined);
  assert.equal(command("http://127.0.0.1:11434"), "ollama run home");
  assert.equal(command("http://gpu:1/ollama"), "OLLAMA_HOST=http://gpu:1/ollama ollama run home");
  assert.equal(command("http://[::1]:1"), "OLLAMA_HOST='http://[::1]:1' ollama run home");
  assert.equal(
    talkCommand("home", addressOf("http://127.0.0.1:11434"), undefined, false),
    "ollama run home --think=false",
  );
});

Deno.test("talkCommand() with credentials names the variable and no secret, in words a shell reads", () => {
  const plain = addressOf("https://gpu/o");
  const commands = {
    basic: talkCommand("home", withCredentials(plain, `me:${SECRET}`), "AUTH"),
    bearer: talkCommand("home", withCredentials(plain, SECRET), "AUTH"),
    user: talkCommand("home", addressOf(`https://me:${SECRET}@gpu/o`), undefined),
    query: talkCommand("home", addressOf(`https://gpu/o?key=${SECRET}`), undefined),
  };
  const words = (command: string) =>
    execFileSync("/bin/sh", ["-c", `AUTH=me:pw; set -- ${command}; printf '%s\\n' "$@"`], {
      encoding: "utf8",
    })
      .trimEnd().split("\n");
  const body = '{"model":"home","stream":false,"messages":[{"role":"user","content":"…"}]}';
  const url = "https://gpu/o/api/chat";
  assert.deepEqual(words(commands.basic), ["curl", "-u", "me:pw", url, "-d", body]);
  assert.deepEqual(words(commands.bearer), ["curl", "-H", "Authorization: Bearer me:pw", url, "-d", body]);
  assert.deepEqual(words(commands.user), ["curl", "-u", "USER", url, "-d", body]);
  assert.deepEqual(words(commands.query), ["curl", `${url}?key=…`, "-d", body]);
  assert.ok(!Object.values(commands).join().includes(SECRET));
});
