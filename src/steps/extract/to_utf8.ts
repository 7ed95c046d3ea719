import type { Note } from "./row.ts";

/** Chunks of a file in another encoding, as UTF-8. Ends at the first bytes that are not of that encoding. */
export async function* toUtf8(
  chunks: AsyncIterable<Uint8Array>,
  encoding: string,
  note: Note,
): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const encoder = new TextEncoder();
  let line = 1;
  const decode = (chunk?: Uint8Array): string | undefined => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return undefined;
    }
  };
  for await (const chunk of chunks) {
    const text = decode(chunk);
    if (text === undefined) {
      return note(line + breaksBeforeFault(chunk, encoding), notIn(encoding));
    }
    line += text.split("\n").length - 1;
    yield encoder.encode(text);
  }
  const rest = decode();
  if (rest === undefined) return note(line, notIn(encoding));
  yield encoder.encode(rest);
}

/** Line breaks of a chunk before the first character that cannot be read. */
function breaksBeforeFault(chunk: Uint8Array, encoding: string): number {
  const text = new TextDecoder(encoding).decode(chunk);
  return text.slice(0, Math.max(0, text.indexOf("\uFFFD"))).split("\n").length - 1;
}

function notIn(encoding: string): string {
  return `there are bytes that are not ${encoding}; reading stops here`;
}
