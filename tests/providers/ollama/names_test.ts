import assert from "node:assert/strict";
import { fullName, previousName } from "../../../src/providers/ollama/names.ts";

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
