import { join } from "../../src/deps/path.ts";
import { boundaries, record, resumesAt } from "../run/cuts.ts";
import { Proof, withFolder } from "./proof.ts";

const RANDOM_CUTS = 200;

Deno.test("runPipeline() ends in the same outputs from every event boundary and from any byte, cache or not", () =>
  Proof.run("prefix matrix", (proof) =>
    withFolder(async (dir) => {
      const recorded = await record(join(dir, "recorded"));
      const whole = recorded.log.length;
      const cut = (bytes: number, cold: boolean) =>
        proof.try(`cut at byte ${bytes} of ${whole}${cold ? ", cache lost" : ""}`, async () => {
          proof.count("cuts");
          await resumesAt(recorded, bytes, cold);
          if (bytes > 0) proof.count("resumes");
        });
      for (const bytes of boundaries(recorded.log).slice(0, -1)) {
        await cut(bytes, false);
        await cut(bytes, true);
      }
      for (let i = 0; i < RANDOM_CUTS; i++) {
        await cut(Math.floor(proof.random() * (whole - 1)), proof.random() < 0.5);
      }
    })));
