import assert from "../../deps/assert.ts";
import fc from "fast-check";
import { masked, maskedText, secretIn, secretValues } from "../../../src/lib/net/secrets.ts";

/** Put together here, so that nobody takes the test for a leak. */
const from = (...parts: readonly string[]) => parts.join("");
const CERTAIN: Readonly<Record<string, string>> = {
  openai: from("sk-proj", "-abcDEF0123456789abcdef"),
  anthropic: from("sk-ant", "-api03-abcDEF0123456789"),
  stripe: from("sk_live", "_abcDEF0123456789ab"),
  huggingFace: from("hf_", "abcdefGHIJKL0123456789mnop"),
  github: from("ghp_", "abcdefGHIJKL0123456789mnopqrstuv"),
  githubFine: from("github_pat_", "11ABCDEFG0123456789_abcdefghij"),
  gitlab: from("glpat-", "abcDEF0123456789-xyz"),
  slack: from("xoxb-", "1234567890-abcdef"),
  google: from("AIza", "SyA0123456789abcdefghijklmnopqrstuvw"),
  aws: from("AKIA", "IOSFODNN7EXAMPLE"),
  jwt: from("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxIn0", ".abc-DEF_012"),
  nebius: from("v1.", "CmMKHHN0YXRpY2tleS1lMDBhYmNkZWZnaGlqa2xtbm9w"),
  bearer: from("Bearer ", "abcDEF0123456789.~+/"),
  privateKey: "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----",
  userinfo: "http://me:hunter2@gpu/x",
  query: "https://x.example/v1?api-key=hunter2&y=1",
};
const LIKELY: Readonly<Record<string, readonly [string, string]>> = {
  azure: ["# key: 0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"],
  equals: ["# API_KEY=abcdefgh12345678", "abcdefgh12345678"],
  words: ["# the token is abcd-efgh-1234-5678 for now", "abcd-efgh-1234-5678"],
  password: ["# password: hunter2, ask Kim", "hunter2"],
  bare: ["# queue at bob:hunter2@gpu.example:8000/x", "hunter2"],
  bareLocal: ["server: root:hunter2@127.0.0.1", "hunter2"],
  random: ["# Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv1Wx2Yz3AbCd", "Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv1Wx2Yz3AbCd"],
};
const HARMLESS = [
  "learning_rate: 2e-4  # as in the paper, arXiv:2106.09685",
  "api_key_env: OPENAI_API_KEY  # the key itself is in the environment",
  "revision: 0123456789abcdef0123456789abcdef01234567",
  "base: owner/Model-7B-Instruct-v0.3  # 32 tokens a row, password-free",
  "source: [data/home.train.jsonl, data/*.csv]",
  "base_url: https://api.tokenfactory.nebius.com/v1/",
  "# write to team@example.com, or see https://example.com/docs?page=2#keys",
  "# npm:zod@4.6.7, jsr:@std/path@1.1.4, mailto:team@example.com, git@gpu.example:team/rows",
  "base: registry:latest@main  # docker sha256 image:tag@sha256:0123",
  "user: '{{ day }}:{{ hour }}@{{ room }} at 12:30@home'",
  "# key points: short answers; token counts stay below 256",
  "system: You need a basic understanding of trams; basic instructions are enough",
  "# the standard bearer responsibilities, as an answer",
  "source: [data/sk-customer-support.jsonl, data/cs-sk-parallel-sentences.jsonl]",
  "# see https://www.youtube.com/@trams and https://x.example/?keyword=tram&author=kim&design=old",
  "user: '{{ question }}'  # tokens: 1,024 supervised",
];

Deno.test("secretIn() and masked() know the keys that services give out, and passwords in addresses", () => {
  for (const [name, secret] of Object.entries(CERTAIN)) {
    assert.notEqual(secretIn(`x ${secret} y`), undefined, name);
    const line = `# was ${secret} until May`;
    const shown = masked(line);
    assert.equal(shown.length, line.length, name);
    assert.match(shown, /^# was .*\*\*\*.* until May$/s, name);
    for (const part of secret.match(/[A-Za-z0-9]{7,}/g) ?? []) {
      if (!/^(Bearer|example|PRIVATE|hunter2)$/.test(part)) {
        assert.ok(!shown.includes(part), `${name}: ${shown}`);
      }
    }
    assert.ok(!shown.includes("hunter2"), name);
  }
});

Deno.test("maskedText() also hides what is called a key or password, and what is known", () => {
  for (const [name, [line, secret]] of Object.entries(LIKELY)) {
    assert.equal(secretIn(line), undefined, name);
    assert.equal(maskedText(line), line.replace(secret, "*".repeat(secret.length)), name);
  }
  assert.equal(maskedText("# ours: correct horse", ["correct horse"]), "# ours: *************");
});

Deno.test("masked texts leave what people write in pipeline files as it is", async () => {
  for (const line of HARMLESS) assert.deepEqual([secretIn(line), maskedText(line)], [undefined, line]);
  const pipelines = new URL("../../../pipelines/", import.meta.url);
  for await (const { name, isFile } of Deno.readDir(pipelines)) {
    if (!isFile || !name.endsWith(".yaml")) continue;
    const text = await Deno.readTextFile(new URL(name, pipelines));
    assert.equal(maskedText(text), text, name);
  }
});

Deno.test("maskedText() keeps every place in the text, and no more than once", () => {
  const piece = fc.oneof(
    fc.constantFrom(...Object.values(CERTAIN), ...HARMLESS),
    fc.string({ unit: "grapheme" }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const text = pieces.join("\n");
      const shown = maskedText(text);
      assert.equal(shown.length, text.length);
      assert.deepEqual(
        shown.split("\n").map((line) => line.length),
        text.split("\n").map((line) => line.length),
      );
      assert.equal(secretIn(shown), undefined);
    }),
    { seed: 12, numRuns: 300 },
  );
});

Deno.test("secretValues() takes variables that the file names, and those called like a secret", () => {
  const env = {
    HOME: "/home/me/and/more",
    MY_AUTH: "shortish ",
    GH_TOKEN: "t".repeat(12),
    X_KEY: "tiny",
    KEYBOARD: "k".repeat(20),
  };
  const text = "provider: {kind: ollama, auth_env: MY_AUTH}  # HOME";
  assert.deepEqual(new Set(secretValues(env, text)), new Set(["shortish ", "shortish", "t".repeat(12)]));
});

Deno.test("secretValues() takes no word for a key, though a file names it as one", () => {
  const text = "api_key_env: OPENAI_API_KEY";
  for (const word of ["local", "test", "none", "ollama"]) {
    assert.deepEqual(secretValues({ OPENAI_API_KEY: word }, text), [], word);
  }
});
