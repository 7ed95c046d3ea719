import { join } from "../../src/deps/path.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { type FaultKind, FAULTS } from "../run/faulty_fs.ts";
import { survives } from "../run/faults.ts";
import { kitAt, outputsOf } from "../run/kit.ts";
import { Proof, withFolder } from "./proof.ts";

for (const kind of Object.keys(FAULTS) as FaultKind[]) {
  Deno.test(`runPipeline() says so and ends well the next time when operation N fails (${kind}), N = 1, 2, …`, () =>
    Proof.run(`failing operation, ${kind}`, (proof) =>
      withFolder(async (dir) => {
        const { dir: run } = await runPipeline((await kitAt(join(dir, "undisturbed"))).options());
        const expected = await outputsOf(run);
        let touched = true;
        for (let at = 1; touched; at++) {
          const root = join(dir, String(at));
          await proof.try(`operation ${at}`, async () => {
            touched = await survives(root, kind, at, expected);
            if (touched) proof.count("failed writes");
          });
          await Deno.remove(root, { recursive: true });
        }
      })));
}
