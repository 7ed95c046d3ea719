const ENCODER = new TextEncoder();

interface Head {
  readonly id?: number;
  readonly event?: string;
}

/** One message of an event stream. `data` has no line break, as JSON has none. */
export function sseMessage({ data, ...head }: Head & { readonly data: string }): Uint8Array<ArrayBuffer> {
  return ENCODER.encode(`${sseHead(head)}${data}\n\n`);
}

/** What comes before the data, in ASCII. */
export function sseHead({ id, event }: Head): string {
  return (id === undefined ? "" : `id: ${id}\n`) + (event === undefined ? "" : `event: ${event}\n`) +
    "data: ";
}

export const PING: Uint8Array<ArrayBuffer> = ENCODER.encode(": ping\n\n");
