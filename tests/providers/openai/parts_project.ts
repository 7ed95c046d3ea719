import { join } from "node:path";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs, sha256 } from "../../../src/lib/files/fs.ts";
import type { JsonObject } from "../../../src/lib/json/json.ts";
import { DIALECTS } from "../../../src/spec/dialects/registry.ts";
import { Service } from "../../../src/providers/openai/service.ts";
import { uploadOnce } from "../../../src/providers/openai/upload/upload.ts";
import type { SubmitWork } from "../../../src/providers/provider.ts";
import { MockService } from "./mock_service.ts";

/** A file that is so large, for its limits, that it is uploaded in four parts. */
export async function partsProject() {
  const dir = await Deno.makeTempDir({ prefix: "temper-parts-" });
  const mock = new MockService();
  const text = "0123456789\n".repeat(10);
  const file = { name: "temper-x.jsonl", bytes: text.length, sha256: sha256(text), rows: 10 };
  await Deno.writeTextFile(join(dir, file.name), text);
  const records: JsonObject[] = [];
  const { signal } = new AbortController();
  const project = {
    dir,
    mock,
    text,
    /** Records until the uploader dies, as if it was killed. */
    left: Infinity,
    async upload(): Promise<string> {
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
          if (project.left-- === 0) throw new Error("killed");
          records.push(record);
          return Promise.resolve();
        },
      } as unknown as SubmitWork;
      const endpoint = { dialect: DIALECTS.openai, baseUrl: mock.url, keyEnv: "OPENAI_API_KEY" };
      const service = await Service.open(endpoint, { env: work, signal, progress: () => {}, phase: "p" });
      return await uploadOnce(work, service, file, { settleMs: 100, oneRequestBytes: 50, partBytes: 30 });
    },
    async [Symbol.asyncDispose]() {
      await mock[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    },
  };
  return project;
}
