import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs, sha256 } from "../../../src/lib/fs.ts";
import type { JsonObject } from "../../../src/lib/json.ts";
import type { SubmitWork } from "../../../src/providers/provider.ts";
import { DIALECTS } from "../../../src/providers/openai/dialect.ts";
import { Service } from "../../../src/providers/openai/service.ts";
import { uploadOnce } from "../../../src/providers/openai/upload.ts";
import { MockService } from "./mock_service.ts";

Deno.test("uploadOnce() sends a large file in parts, and goes on with them after an interruption", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await using mock = new MockService();
    const text = "0123456789\n".repeat(10);
    const file = { name: "temper-x.jsonl", bytes: text.length, sha256: sha256(text), rows: 10 };
    await Deno.writeTextFile(join(dir, file.name), text);
    const records: JsonObject[] = [];
    const { signal } = new AbortController();
    let left = 4;
    const work = {
      fs: denoFs,
      clock: systemClock,
      cacheDir: join(dir, "cache"),
      env: { OPENAI_API_KEY: "k" },
      configured: dir,
      records,
      signal,
      progress: () => {},
      record(record: JsonObject) {
        if (left-- === 0) throw new Error("killed");
        records.push(record);
        return Promise.resolve();
      },
    } as unknown as SubmitWork;
    const endpoint = { dialect: DIALECTS.openai, baseUrl: mock.url, keyEnv: "OPENAI_API_KEY" };
    const service = await Service.open(endpoint, { env: work, signal, progress: () => {}, phase: "p" });
    const options = { settleMs: 100, oneRequestBytes: 50, partBytes: 30 };
    await assert.rejects(uploadOnce(work, service, file, options), /killed/);
    assert.equal(mock.count("POST", /parts$/), 3);
    left = Infinity;
    const id = await uploadOnce(work, service, file, options);
    assert.equal(mock.files.get(id)!.content, text);
    assert.equal(mock.count("POST", /^\/uploads$/), 1);
    assert.equal(mock.count("POST", /parts$/), 5, "two parts were written down, the third was sent again");
    assert.equal(await uploadOnce(work, service, file, options), id);
    assert.equal(mock.files.size, 1);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
