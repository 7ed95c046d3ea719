import { TemperError } from "../errors.ts";
import { existingParent } from "./existing_parent.ts";
import { bytes } from "../text/format.ts";
import type { Fs } from "./fs.ts";

/** Refuses what would fill the disk after hours of work. `action` starts the sentence: "Cannot start …". */
export async function refuseFullDisk(
  fs: Fs,
  folder: string,
  action: string,
  needs: readonly { readonly what: string; readonly bytes: number }[],
  hint: string,
): Promise<void> {
  const needed = needs.reduce((sum, need) => sum + need.bytes, 0);
  const free = await fs.freeBytes(await existingParent(fs, folder));
  if (free >= needed) return;
  const parts = needs.map((need) => `${need.what} ${bytes(need.bytes)}`).join(", ");
  throw new TemperError(
    "disk-full",
    `${action}: it takes about ${bytes(needed)} in "${folder}" (${parts}), ${bytes(free)} are free`,
    { hint },
  );
}
