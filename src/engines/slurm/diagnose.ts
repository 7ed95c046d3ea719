import { TemperError } from "../../lib/errors.ts";
import { existingParent } from "../../lib/files/folder.ts";
import { counted } from "../../lib/text/format.ts";
import type { SlurmSection } from "../../spec/schema/schema_engine.ts";
import type { EngineEnv, EngineFinding } from "../engine.ts";
import { ask } from "./commands.ts";

/** File systems of one machine, as stat names them. */
const LOCAL = /^(ext2\/ext3|xfs|btrfs|f2fs|zfs|tmpfs|ramfs|overlayfs|apfs)$/;

/**
 * Whether Slurm answers, has the partition with enough nodes, and whether the job's folders are on a file system that
 * nodes may share.
 */
export async function diagnose(
  section: SlurmSection,
  env: EngineEnv,
  signal: AbortSignal,
  folders: readonly string[],
): Promise<EngineFinding> {
  const work = { ...env, signal };
  try {
    const version = (await ask(["sbatch", "--version"], work)).stdout.trim();
    const { code, stdout, found } = await ask(["sinfo", "--noheader", "--format=%R|%D|%a"], work);
    if (code !== 0) return { state: "missing", found: `${version}: ${found}` };
    const partitions = parsePartitions(stdout);
    return lacking(section, partitions, version) ?? await unshared(folders, work) ??
      { state: "ok", found: `${version}: ${partitionsText(partitions)}` };
  } catch (error) {
    if (!(error instanceof TemperError)) throw error;
    return { state: "missing", found: error.message, ...error.hint !== undefined && { fix: error.hint } };
  }
}

/** Nodes of each partition that is up. */
type Partitions = ReadonlyMap<string, number>;

function parsePartitions(text: string): Partitions {
  const partitions = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [name = "", nodes = "", state] = line.split("|");
    if (state === "up") partitions.set(name, (partitions.get(name) ?? 0) + Number(nodes));
  }
  return partitions;
}

function partitionsText(partitions: Partitions): string {
  return [...partitions].map(([name, nodes]) => `partition ${name} with ${counted(nodes, "node")}`).join(
    ", ",
  );
}

function lacking(
  { partition, nodes }: SlurmSection,
  partitions: Partitions,
  version: string,
): EngineFinding | undefined {
  const has = `${version}: ${partitionsText(partitions)}`;
  if (partition !== undefined && !partitions.has(partition)) {
    return {
      state: "missing",
      found: `${has}; engine.partition is ${partition}`,
      fix: "Set engine.partition to one of these",
    };
  }
  const most = partition === undefined ? Math.max(0, ...partitions.values()) : partitions.get(partition)!;
  return most >= nodes ? undefined : {
    state: "missing",
    found: `${has}; engine.nodes is ${nodes}`,
    fix: "Lower engine.nodes, or choose another partition",
  };
}

async function unshared(
  folders: readonly string[],
  work: EngineEnv & { readonly signal: AbortSignal },
): Promise<EngineFinding | undefined> {
  for (const folder of folders) {
    const at = await existingParent(work.fs, folder);
    const type = (await ask(["stat", "--file-system", "--format=%T", at], work)).stdout.trim();
    if (!LOCAL.test(type)) continue;
    return {
      state: "warn",
      found: `"${folder}" is on a file system of this machine (${type})`,
      fix: "The nodes must see it under the same path: use a shared folder (--runs, TEMPER_CACHE)",
    };
  }
  return undefined;
}
