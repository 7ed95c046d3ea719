// deno-lint-ignore-file no-console -- a program of its own, it talks to whoever runs it
/**
 * `deno task manifest`: writes trainer/manifest.json, the files of the trainer and their digests. A temper whose
 * modules are remote can list no folder, so this says what it fetches, and whether it came whole.
 */
import { fileURLToPath } from "node:url";
import { denoFs } from "../src/lib/files/fs.ts";
import { trainerManifest } from "../src/providers/trainer/environment/trainer_dir.ts";

const TRAINER = fileURLToPath(new URL("../trainer/", import.meta.url));
export const MANIFEST = `${TRAINER}manifest.json`;

/** What the file has to contain. */
export async function manifestText(): Promise<string> {
  return `${JSON.stringify(await trainerManifest(TRAINER, denoFs), null, 2)}\n`;
}

if (import.meta.main) {
  await denoFs.writeAtomic(MANIFEST, await manifestText());
  console.log(`Wrote ${MANIFEST}`);
}
