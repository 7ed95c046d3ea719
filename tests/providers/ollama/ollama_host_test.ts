import assert from "node:assert/strict";
import { ollamaHost } from "../../../src/providers/ollama/ollama_host.ts";

/** Ollama's own tests of OLLAMA_HOST (envconfig/config_test.go), as a client has to read it. */
const OLLAMA_SAYS: Readonly<Record<string, string>> = {
  "": "http://127.0.0.1:11434",
  "1.2.3.4": "http://1.2.3.4:11434",
  ":1234": "http://127.0.0.1:1234",
  "1.2.3.4:1234": "http://1.2.3.4:1234",
  "example.com": "http://example.com:11434",
  "example.com:1234": "http://example.com:1234",
  ":0": "http://127.0.0.1:0",
  ":66000": "http://127.0.0.1:11434",
  ":-1": "http://127.0.0.1:11434",
  "[::1]": "http://[::1]:11434",
  "[::]": "http://[::1]:11434",
  "::1": "http://[::1]:11434",
  "[::1]:1337": "http://[::1]:1337",
  " 1.2.3.4 ": "http://1.2.3.4:11434",
  '"1.2.3.4"': "http://1.2.3.4:11434",
  ' " 1.2.3.4 " ': "http://1.2.3.4:11434",
  "'1.2.3.4'": "http://1.2.3.4:11434",
  "http://1.2.3.4": "http://1.2.3.4:80",
  "http://1.2.3.4:4321": "http://1.2.3.4:4321",
  "https://1.2.3.4": "https://1.2.3.4:443",
  "https://1.2.3.4:4321": "https://1.2.3.4:4321",
  "https://example.com/ollama": "https://example.com:443/ollama",
  "ollama.com": "https://ollama.com:443",
  "0.0.0.0": "http://127.0.0.1:11434",
  "0.0.0.0:1234": "http://127.0.0.1:1234",
  "[::]:1234": "http://[::1]:1234",
  "https://0.0.0.0:4321": "https://127.0.0.1:4321",
  "localhost": "http://localhost:11434",
  "gpu:bad": "http://gpu:11434",
};

Deno.test("ollamaHost() reads OLLAMA_HOST as Ollama does", () => {
  for (const [value, address] of Object.entries(OLLAMA_SAYS)) assert.equal(ollamaHost(value), address, value);
});

Deno.test("ollamaHost() leaves an address that no URL can hold to whoever checks it", () => {
  assert.match(ollamaHost("fe80::1%eth0"), /fe80::1%eth0/);
});

Deno.test("ollamaHost() keeps user, password and query, which Ollama does not know", () => {
  assert.equal(ollamaHost("me:p@ss@gpu"), "http://me:p@ss@gpu:11434");
  assert.equal(ollamaHost("https://me:pw@gpu/ollama?key=k"), "https://me:pw@gpu:443/ollama?key=k");
  assert.equal(ollamaHost("gpu:1?key=a/b"), "http://gpu:1?key=a/b");
});
