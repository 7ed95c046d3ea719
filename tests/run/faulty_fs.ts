import { denoFs, type FileWriter, type Fs } from "../../src/lib/files/fs.ts";

/** Operations that change the disk, beside those of a writer. */
export const CHANGES = [
  "mkdirp",
  "claimDir",
  "truncate",
  "rename",
  "syncFile",
  "syncDir",
  "linkOrCopy",
  "remove",
] as const;

export interface Faulty {
  readonly fs: Fs;
  /** Operations so far that change the disk. */
  count(): number;
}

export const FAULTS = {
  /** No space is left from then on. */
  full: { code: "ENOSPC", message: "No space left on device (os error 28)", lasts: true },
  /** That operation alone fails, as when a disk is about to give up. */
  once: { code: "EIO", message: "Input/output error (os error 5)", lasts: false },
} as const;
export type FaultKind = keyof typeof FAULTS;

/** The real file system, which fails at operation `at`, counted from 1. A write that hits it is short. */
export function failingFs(kind: FaultKind, at: number, onFault = () => {}): Faulty {
  const { code, message, lasts } = FAULTS[kind];
  let count = 0;
  const hit = () => ++count === at || lasts && count > at;
  const fault = () => {
    onFault();
    return Object.assign(new Error(message), { code });
  };
  const step = () => {
    if (hit()) throw fault();
  };
  const writer = (real: FileWriter): FileWriter => ({
    async write(data) {
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      if (!hit()) return await real.write(bytes);
      if (count === at) await real.write(bytes.subarray(0, bytes.length / 2));
      throw fault();
    },
    async sync() {
      step();
      await real.sync();
    },
    close: () => real.close(),
  });
  const fs: Fs = {
    ...denoFs,
    create: async (path) => (step(), writer(await denoFs.create(path))),
    append: async (path) => (step(), writer(await denoFs.append(path))),
  };
  for (const name of CHANGES) {
    const real = denoFs[name] as (...args: unknown[]) => Promise<unknown>;
    Object.assign(fs, { [name]: async (...args: unknown[]) => (step(), await real(...args)) });
  }
  return { fs, count: () => count };
}

/** The real file system of a process that kills itself at operation `at`; of a write that hits it, half is done. */
export function dyingFs(at: number): Fs {
  return failingFs("once", at, () => Deno.kill(Deno.pid, "SIGKILL")).fs;
}
