/** Looks again and again until there is something, and returns it; `false` and `undefined` are nothing. Throws after `ms`. */
export async function until<T>(
  what: string,
  look: () => Promise<T | false | undefined> | T | false | undefined,
  ms = 60_000,
): Promise<T> {
  for (const end = Date.now() + ms; Date.now() < end;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Cannot wait any longer for ${what}`);
}
