const ENCODER = new TextEncoder();
/** Bytes that may wait for a slow browser before it is disconnected; it reconnects with the last id it saw. */
const MOST_WAITING = 4 * 1024 * 1024;

/** One message of an event stream. `data` has no line break, as JSON has none. */
export function sseMessage(
  { id, event, data }: { readonly id?: number; readonly event?: string; readonly data: string },
): Uint8Array<ArrayBuffer> {
  const head = (id === undefined ? "" : `id: ${id}\n`) + (event === undefined ? "" : `event: ${event}\n`);
  return ENCODER.encode(`${head}data: ${data}\n\n`);
}

export const PING: Uint8Array<ArrayBuffer> = ENCODER.encode(": ping\n\n");

/** What one browser is still to be sent. The same bytes wait for all that watch a run. */
export class Outbox {
  readonly #waiting: Uint8Array[] = [];
  #bytes = 0;
  #closed = false;
  #ending = false;
  #wake: () => void = () => {};

  constructor(private readonly onClose: () => void) {}

  push(message: Uint8Array): void {
    if (this.#closed) return;
    this.#waiting.push(message);
    this.#bytes += message.length;
    if (this.#bytes > MOST_WAITING) this.close();
    this.#wake();
  }

  /** Nothing more will come; what waits is dropped. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.length = 0;
    this.onClose();
    this.#wake();
  }

  /** Says goodbye to the browser after what waits. */
  end(): void {
    this.#ending = true;
    this.#wake();
  }

  /** The next message; undefined when there will be none. */
  async next(): Promise<Uint8Array | undefined> {
    while (!this.#closed) {
      const message = this.#waiting.shift();
      if (message) {
        this.#bytes -= message.length;
        return message;
      }
      if (this.#ending) break;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.close();
    return undefined;
  }

  /** As the body of a response: first what `before` gives, then what is pushed. */
  stream(before: AsyncIterator<Uint8Array>): ReadableStream<Uint8Array> {
    let replayed = false;
    return new ReadableStream({
      pull: async (controller) => {
        try {
          if (!replayed) {
            const { value, done } = await before.next();
            if (!done) return controller.enqueue(value);
            replayed = true;
          }
          const message = await this.next();
          if (message) controller.enqueue(message);
          else controller.close();
        } catch {
          // The log vanished or broke while it was sent: the browser reconnects and gets the error.
          this.close();
          controller.close();
        }
      },
      cancel: async () => {
        this.close();
        await before.return?.();
      },
    });
  }
}
