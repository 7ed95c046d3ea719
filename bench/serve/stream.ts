/** A client of one run's events. */

interface Waiting {
  readonly seq: number;
  readonly resolve: (at: number) => void;
}

/** Follows a run from a byte of its log on, and says when each event came. */
export class Stream implements AsyncDisposable {
  readonly #seen = new Map<number, { at: number; times: number }>();
  #waiting: Waiting[] = [];

  private constructor(private readonly reader: ReadableStreamDefaultReader<Uint8Array>) {}

  /** Resolves once the server has said how the run stands: it follows the log from then on. */
  static async open(url: URL): Promise<Stream> {
    const { body, ok, status } = await fetch(url);
    if (!ok || !body) throw new Error(`Cannot follow ${url}: ${status}`);
    const stream = new Stream(body.getReader());
    await new Promise<void>((resolve, reject) => stream.#follow(resolve).catch(reject));
    return stream;
  }

  async #follow(onState: () => void): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { value, done } = await this.reader.read();
      if (done) return;
      const at = performance.now();
      text += decoder.decode(value, { stream: true });
      const end = text.lastIndexOf("\n\n");
      if (end < 0) continue;
      for (const message of text.slice(0, end).split("\n\n")) this.#take(message, at, onState);
      text = text.slice(end + 2);
    }
  }

  #take(message: string, at: number, onState: () => void): void {
    if (message.includes("event: state")) return onState();
    const seq = /^id: \d+\ndata: \{"v":1,"seq":(\d+)/.exec(message)?.[1];
    if (seq === undefined) return;
    const seen = this.#seen.get(Number(seq));
    this.#seen.set(Number(seq), { at: seen?.at ?? at, times: (seen?.times ?? 0) + 1 });
    for (const { seq: wanted, resolve } of this.#waiting) if (wanted === Number(seq)) resolve(at);
    this.#waiting = this.#waiting.filter(({ seq: wanted }) => wanted !== Number(seq));
  }

  /** When the event of that number came, on the clock of `performance.now()`. */
  arrival(seq: number): Promise<number> {
    const seen = this.#seen.get(seq);
    if (seen) return Promise.resolve(seen.at);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`Cannot wait any longer for event ${seq}`)), 10_000);
      this.#waiting.push({ seq, resolve: (at) => (clearTimeout(late), resolve(at)) });
    });
  }

  /** How often the event of that number came. */
  times(seq: number): number {
    return this.#seen.get(seq)?.times ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reader.cancel();
  }
}
