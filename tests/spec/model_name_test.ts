import assert from "../deps/assert.ts";
import fc from "fast-check";
import { fullName, modelNameFault, previousName } from "../../src/spec/rules/model_name.ts";
import { startOllama, WITHOUT_OLLAMA } from "../providers/ollama/server.ts";

Deno.test("fullName() adds the tag that Ollama adds", () => {
  assert.equal(fullName("home"), "home:latest");
  assert.equal(fullName("team/home:v2"), "team/home:v2");
  assert.equal(fullName("host:5000/team/home"), "host:5000/team/home:latest");
});

Deno.test("previousName() keeps name space and tag", () => {
  assert.equal(previousName("home"), "home-previous");
  assert.equal(previousName("team/home:v2"), "team/home-previous:v2");
  assert.equal(previousName("host:5000/team/home"), "host:5000/team/home-previous");
});

const long = (n: number) => "n".repeat(n);
const GOOD = [
  "home",
  "Home_1.2-x",
  "_home",
  "home:v2",
  "team/home",
  "team/home:v2",
  "host.example/team/home",
  "localhost:5000/team/home:v2",
  "http://localhost:5000/team/home:v2",
  long(80),
  `${long(80)}/${long(80)}:${long(80)}`,
  `${long(255)}/team/home`,
];
const BAD: Readonly<Record<string, RegExp>> = {
  "a/b/c/d/e": /more parts/,
  "a/b/c/d": /more parts/,
  "team//home": /its namespace is empty/,
  "team/": /its model is empty/,
  "/home": /its namespace is empty/,
  "home:": /its tag is empty/,
  ":v2": /its model is empty/,
  "not a name": /its model "not a name" begins/,
  "-home": /its model "-home" begins/,
  "hömé": /its model/,
  "te.am/home": /its namespace "te\.am"/,
  "home:v2:v3": /its model "home:v2"/,
  "localhost:5000/home": /its namespace "localhost:5000"/,
  [long(81)]: /its model has 81 letters, more than 80/,
  [long(90)]: /90 letters/,
  [`home:${long(81)}`]: /its tag has 81 letters/,
  [`${long(81)}/home`]: /its namespace has 81/,
  [`${long(256)}/team/home`]: /its host has 256/,
};

Deno.test("modelNameFault() finds what Ollama refuses, by its part", () => {
  for (const name of GOOD) assert.equal(modelNameFault(name), undefined, name);
  for (const [name, found] of Object.entries(BAD)) assert.match(modelNameFault(name) ?? "", found, name);
});

Deno.test({
  name: "modelNameFault() refuses exactly the names that an Ollama server refuses",
  ignore: WITHOUT_OLLAMA,
  async fn() {
    await using ollama = await startOllama({ engine: false });
    /** Of an invalid name the server says so before it looks at anything else. */
    const isRefused = async (model: string) => {
      const response = await fetch(`${ollama.address}/api/copy`, {
        method: "POST",
        body: JSON.stringify({ source: "none-of-this-name", destination: model }),
      });
      const { error } = await response.json();
      assert.match(error, /invalid|not found|too long/, model);
      return !/not found/.test(error);
    };
    for (const name of [...GOOD, ...Object.keys(BAD)]) {
      assert.equal(modelNameFault(name) !== undefined, await isRefused(name), name);
    }
    const letter = fc.constantFrom(..."aZ0_-./:/:é @");
    const name = fc.oneof(
      fc.string({ unit: letter, minLength: 1, maxLength: 12 }),
      fc.array(fc.string({ unit: fc.constantFrom(..."ab1_-."), maxLength: 3 }), {
        minLength: 1,
        maxLength: 5,
      })
        .chain((parts) => fc.constantFrom("/", ":", "//", "://").map((by) => parts.join(by))),
    ).filter((text) => text.trim() === text && text !== "");
    await fc.assert(
      fc.asyncProperty(name, async (name) => {
        assert.equal(modelNameFault(name) !== undefined, await isRefused(name), name);
      }),
      { seed: 12, numRuns: 400 },
    );
  },
});

Deno.test("a name can be too long for the one that its predecessor is kept under", () => {
  assert.equal(modelNameFault(previousName(long(71))), undefined);
  assert.match(modelNameFault(previousName(long(72))) ?? "", /81 letters/);
});
