/** Of each name, the end of what was begun last. */
const ends = new Map<string, Promise<void>>();

/**
 * Within this process, does the works of one name one after the other, in the order of the calls. Rejects with the
 * signal's reason when it aborts before the work's turn.
 */
export async function oneAtATime<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const before = ends.get(name) ?? Promise.resolve();
  const done = Promise.withResolvers<void>();
  const end = before.then(() => done.promise);
  ends.set(name, end);
  try {
    await unlessAborted(before, signal);
    return await work();
  } finally {
    done.resolve();
    if (ends.get(name) === end) ends.delete(name);
  }
}

async function unlessAborted(before: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([before, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
