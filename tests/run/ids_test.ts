import assert from "../deps/assert.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { claimRunDir, nameInId, runId } from "../../src/run/ids.ts";

const at = (ms: number, hex: string[]): Clock => ({
  ...systemClock,
  now: () => ms,
  randomHex: () => hex.shift()!,
});

Deno.test("runId() is UTC time, name and four hex digits", () => {
  assert.equal(
    runId(at(Date.UTC(2026, 10, 22, 8, 5, 9, 123), ["3fa2"]), "home-lora"),
    "20261122-080509-home-lora-3fa2",
  );
  assert.match(runId(systemClock, "x"), /^\d{8}-\d{6}-x-[0-9a-f]{4}$/);
});

Deno.test("nameInId() finds the name and refuses other folders", () => {
  assert.equal(nameInId("20261122-080509-home-lora-3fa2"), "home-lora");
  assert.equal(nameInId("20261122-080509-a-1234-b-3fa2"), "a-1234-b");
  assert.equal(nameInId("notes"), undefined);
  assert.equal(nameInId("20261122-080509-home"), undefined);
});

Deno.test("claimRunDir() takes another name when one is taken", async () => {
  const dir = await Deno.makeTempDir({ prefix: "temper-ids-" });
  try {
    const clock = at(0, ["0001", "0001", "0002"]);
    const first = await claimRunDir(denoFs, clock, dir, "x");
    const second = await claimRunDir(denoFs, clock, dir, "x");
    assert.deepEqual([first.id, second.id], ["19700101-000000-x-0001", "19700101-000000-x-0002"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
