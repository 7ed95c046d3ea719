import type { ReadFs } from "./read_fs.ts";

const LINES = 12;
const BYTES = 16_384;

/**
 * The last lines of what a program printed, blank ones left out; none where there is no file. A carriage return ends a
 * line too: progress bars write one over the other.
 */
export async function lastLines(path: string, fs: ReadFs, bytes: number, most: number): Promise<string[]> {
  const size = (await fs.stat(path))?.size ?? 0;
  const start = Math.max(0, size - bytes);
  if (size === 0) return [];
  const text = await new Response(fs.readStream(path, start, size)).text();
  const lines = text.split(/\r\n|[\r\n]/).map((line) => line.trimEnd()).filter((line) => line !== "");
  // The first line of a cut begins anywhere.
  return (start > 0 && lines.length > 1 ? lines.slice(1) : lines).slice(-most);
}

/** The last lines of a log, each on its own line and indented, to follow an error's first line. */
export async function tailOf(path: string, fs: ReadFs): Promise<string> {
  return (await lastLines(path, fs, BYTES, LINES)).map((line) => `\n    ${line}`).join("");
}
