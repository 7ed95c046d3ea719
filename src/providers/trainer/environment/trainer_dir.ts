import { dirname, join } from "../../../deps/path.ts";
import { fileURLToPath } from "node:url";
import { TemperError } from "../../../lib/errors.ts";
import { filesBelow, folderDigest, makeOwnDir } from "../../../lib/files/folder.ts";
import { type Fs, sha256 } from "../../../lib/files/fs.ts";
import type { Env } from "../../provider.ts";
import { basesDir, sharedPlaces } from "../../shared_dir.ts";

/** The code of the trainer and the versions of what it imports. */
export interface Trainer {
  /** Digest of what it does. */
  digest(): Promise<string>;
  /** Text of a file beside its code, such as requirements.lock. */
  text(name: string): Promise<string>;
  /** Where that file is, for a person: a path or an address. */
  place(name: string): string;
  /** A folder that Python can import it from. */
  dir(env: Env): Promise<string>;
}

/** Every file of the trainer with its sha256: trainer/manifest.json. */
type Manifest = Readonly<Record<string, string>>;

export const MANIFEST_FILE = "manifest.json";
export const LOCK_FILE = "requirements.lock";
const CODE = "temper_trainer";
/** Held while the files are fetched: two minutes are enough for some hundred kilobytes. */
const LOCK = "lock";
const FETCH_WAIT_MS = 120_000;

/** The trainer that comes with this program. */
export function ownTrainer(fs: Fs): Trainer {
  const here = new URL("../../../../trainer/", import.meta.url);
  return here.protocol === "file:" ? folderTrainer(fileURLToPath(here), fs) : remoteTrainer(here);
}

/** A trainer whose files lie in a folder. */
export function folderTrainer(folder: string, fs: Fs): Trainer {
  return {
    digest: () => trainerDigest(folder, fs),
    text: (name) => fs.readText(join(folder, name)),
    place: (name) => join(folder, name),
    dir: () => Promise.resolve(folder),
  };
}

/**
 * A trainer that is fetched with the modules of this program, and through the same door: the files come by `import`,
 * so that they need no right that the modules do not have, and Deno keeps them like modules.
 */
function remoteTrainer(base: URL): Trainer {
  const manifest = async (): Promise<Manifest> =>
    (await import(new URL(MANIFEST_FILE, base).href, { with: { type: "json" } })).default;
  const place = (name: string) => {
    const url = new URL(name, base);
    url.username = url.password = "";
    return url.href;
  };
  const text = async (name: string) => {
    const url = new URL(name, base).href;
    const { default: content } = await import(url, { with: { type: "text" } }) as { default: string };
    if (sha256(content) === (await manifest())[name]) return content;
    throw new TemperError(
      "trainer-damaged",
      `Cannot use the trainer: "${place(name)}" does not match its manifest`,
      { hint: `Download it again completely: deno cache --reload=${place("..")} ${place("../cli.ts")}` },
    );
  };
  return {
    digest: async () => digestOf(await manifest()),
    text,
    place,
    dir: async (env) => await fetchTrainer(await manifest(), text, env),
  };
}

/** Puts the files into a cache, unless one has them. A folder counts from the moment it has its name. */
async function fetchTrainer(
  manifest: Manifest,
  text: (name: string) => Promise<string>,
  env: Env,
): Promise<string> {
  const { fs, clock } = env;
  const files = Object.entries(manifest).map(([name, digest]) => ({ name, sha256: digest }));
  const name = folderDigest(files).slice(0, 16);
  const folders = sharedPlaces(env).map((cache) => join(cache, "trainer", name));
  for (const folder of folders) if (await fs.stat(folder)) return folder;
  const folder = folders.at(-1)!;
  const parent = dirname(folder);
  await makeOwnDir(dirname(parent), fs);
  await fs.mkdirp(parent);
  const lock = await fs.lock(join(parent, LOCK), FETCH_WAIT_MS);
  if (!lock) {
    throw new TemperError(
      "trainer-busy",
      `Cannot fetch the trainer into "${parent}": another process is fetching it`,
    );
  }
  const unfinished = join(parent, `.${clock.randomHex(8)}`);
  try {
    if (await fs.stat(folder)) return folder;
    for (const { name } of files) {
      const path = join(unfinished, name);
      await fs.mkdirp(dirname(path));
      await fs.writeAtomic(path, await text(name));
    }
    await fs.rename(unfinished, folder);
    await fs.syncDir(parent);
  } finally {
    await fs.remove(unfinished);
    lock.release();
  }
  return folder;
}

/** Digest of what the trainer in a folder does. */
export async function trainerDigest(trainerDir: string, fs: Fs): Promise<string> {
  return digestOf(await trainerManifest(trainerDir, fs));
}

/** The manifest of a trainer's folder: its code, and the locks that its environment is made from. */
export async function trainerManifest(trainerDir: string, fs: Fs): Promise<Manifest> {
  const code = (await filesBelow(join(trainerDir, CODE), fs))
    .filter((name) => !/(^|\/)__pycache__\/|\.pyc$/.test(name))
    .map((name) => `${CODE}/${name}`);
  // All at once: a hundred small files, whose digests every plan asks for.
  const digested = async (name: string) => [name, await fs.sha256(join(trainerDir, name))] as const;
  return Object.fromEntries(await Promise.all([...code, LOCK_FILE].map(digested)));
}

function digestOf(manifest: Manifest): string {
  const files = Object.entries(manifest).filter(([name]) => name.endsWith(".py") || name === LOCK_FILE);
  return folderDigest(files.map(([name, digest]) => ({ name, sha256: digest })));
}

/** Arguments of Python for one of the trainer's verbs that work on a job. */
export async function trainerArgs(verb: "prepare" | "train", folder: string, env: Env): Promise<string[]> {
  const cache = await basesDir(env);
  const others = sharedPlaces(env).filter((place) => place !== cache);
  const read = others.flatMap((place) => ["--read-cache", place]);
  return ["-m", "temper_trainer", verb, folder, "--cache", cache, ...read];
}
