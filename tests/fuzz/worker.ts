// deno-lint-ignore-file no-console -- a program of its own, its words are what the caller reads
/** `worker.ts TARGET SEED FROM COUNT FOLDER`: reads inputs FROM, FROM + 1, … and says which one it is at in a file. */
import { join } from "../../src/deps/path.ts";
import { randomFrom } from "../run/kit.ts";
import { input } from "./mutate.ts";
import { outcome, TARGETS } from "./targets.ts";

const [name = "", seed, from, count, folder = ""] = Deno.args;
const target = TARGETS[name];
if (!target) throw new Error(`usage: worker.ts ${Object.keys(TARGETS).join("|")} SEED FROM COUNT FOLDER`);
const material = await target.material();
await target.prepare?.(folder);
using at = await Deno.open(join(folder, "at"), { write: true, create: true, truncate: true });
const path = join(folder, `input${target.suffix}`);
const counts = { good: 0, refused: 0 };
const unexpected: { readonly index: number; readonly error: string }[] = [];
for (let index = Number(from); index < Number(from) + Number(count); index++) {
  at.seekSync(0, Deno.SeekMode.Start);
  at.writeSync(new TextEncoder().encode(String(index).padStart(10)));
  Deno.writeFileSync(path, input(material, randomFrom(Number(seed) + Math.imul(index, 0x9e3779b1))));
  try {
    counts[await outcome(target, path)]++;
  } catch (error) {
    if (unexpected.length < 5) {
      unexpected.push({ index, error: error instanceof Error ? error.stack! : String(error) });
    }
  }
}
// The most memory this process ever held; Linux only.
const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
console.log(JSON.stringify({ ...counts, unexpected, peak }));
