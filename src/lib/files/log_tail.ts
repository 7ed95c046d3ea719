import type { Fs } from "./fs.ts";

const LINES = 12;
const BYTES = 16_384;

/** The last lines of a log, each on a line of its own and indented, to stand under an error's first line. */
export async function tailOf(path: string, fs: Fs): Promise<string> {
  const size = (await fs.stat(path))?.size ?? 0;
  if (size === 0) return "";
  const text = await new Response(fs.readStream(path, Math.max(0, size - BYTES))).text();
  const lines = text.split(/\r?\n|\r/).map((line) => line.trimEnd()).filter((line) => line !== "");
  return lines.slice(-LINES).map((line) => `\n    ${line}`).join("");
}
