import assert from "node:assert/strict";
import { fullName, ollamaRun, previousName } from "../../../src/providers/ollama/names.ts";

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

Deno.test("ollamaRun() names the server where it is not the usual one", () => {
  assert.equal(ollamaRun("home", "http://127.0.0.1:11434"), "ollama run home");
  assert.equal(ollamaRun("home", "http://gpu:1"), "OLLAMA_HOST=http://gpu:1 ollama run home");
  assert.equal(ollamaRun("home", "http://127.0.0.1:11434", false), "ollama run home --think=false");
});
