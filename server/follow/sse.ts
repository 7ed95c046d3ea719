const ENCODER = new TextEncoder();
const END = ENCODER.encode("\n\n");

/** One message of an event stream. `data` has no line break, as JSON has none. */
export function sseMessage(
  { id, event, data }: {
    readonly id?: number;
    readonly event?: string;
    readonly data: string | Uint8Array;
  },
): Uint8Array<ArrayBuffer> {
  const head = (id === undefined ? "" : `id: ${id}\n`) + (event === undefined ? "" : `event: ${event}\n`);
  const body = typeof data === "string" ? ENCODER.encode(data) : data;
  return joined([ENCODER.encode(`${head}data: `), body, END]);
}

export const PING: Uint8Array<ArrayBuffer> = ENCODER.encode(": ping\n\n");

export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
