import assert from "../deps/assert.ts";
import { murmur128 } from "../../src/lib/files/murmur.ts";

function hex(digest: string): string {
  return Array.from({ length: 8 }, (_, i) => digest.charCodeAt(i).toString(16).padStart(4, "0")).join("");
}

Deno.test("murmur128() agrees with the reference over the text's UTF-16LE bytes", () => {
  // From PyPI mmh3: hash_bytes(text.encode("utf-16-le"), seed, x64arch=False), as four little-endian words.
  const known: [string, number, string][] = [
    ["", 0, "00000000000000000000000000000000"],
    ["", 42, "af6d2cb695c80cba95c80cba95c80cba"],
    ["a", 0, "033bb196ccef4fe1ccef4fe1ccef4fe1"],
    ["hello", 42, "422d9d8b1f9f30c26486135a1de41e32"],
    ["The quick brown fox jumps over the lazy dog", 0, "15beb6860f94f6cafed4894d28be6d5b"],
    ["x".repeat(16), 42, "29c042cd9b84a2058e839c5e03dd5c57"],
    ["äß€😀", 0, "5731c49192bcf1453678530a4a4bb4f5"],
  ];
  for (const [text, seed, expected] of known) assert.equal(hex(murmur128(text, seed)), expected, text);
});
