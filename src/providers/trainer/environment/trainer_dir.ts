import { join } from "../../../deps/path.ts";
import { fileURLToPath } from "node:url";
import { filesBelow } from "../../../lib/files/folder.ts";
import { type Fs, sha256 } from "../../../lib/files/fs.ts";

/** The trainer that comes with this program. */
export function ownTrainerDir(): string {
  return fileURLToPath(new URL("../../../../trainer", import.meta.url));
}

/** Digest of what the trainer does: its code and the versions of what it imports. */
export async function trainerDigest(trainerDir: string, fs: Fs): Promise<string> {
  const code = (await filesBelow(join(trainerDir, "temper_trainer"), fs))
    .filter((name) => name.endsWith(".py"))
    .map((name) => `temper_trainer/${name}`);
  let lines = "";
  for (const name of [...code, "requirements.lock"]) {
    lines += `${await fs.sha256(join(trainerDir, name))}  ${name}\n`;
  }
  return sha256(lines);
}

/** Arguments of Python for one of the trainer's verbs that work on a job. */
export function trainerArgs(verb: "prepare" | "train", folder: string, cacheDir: string): string[] {
  return ["-m", "temper_trainer", verb, folder, "--cache", cacheDir];
}
