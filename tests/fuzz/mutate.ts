/** Bytes that no writer meant: real files changed at random places. The same random numbers give the same bytes. */
export interface Material {
  /** Whole good files. */
  readonly samples: readonly Uint8Array[];
  /** Words that mean something to the reader. */
  readonly words: readonly string[];
}

/** An input is not larger than this; what happens to large files is tested with large files. */
const MOST_BYTES = 64 * 1024;
const INTEGERS = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** One input: now and then made of the reader's words alone, mostly a sample with some changes. */
export function input({ samples, words }: Material, random: () => number): Uint8Array<ArrayBuffer> {
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const encoder = new TextEncoder();
  if (words.length > 0 && random() < 0.15) {
    const text = Array.from({ length: 1 + below(60) }, () => pick(words)).join(pick(["", " ", "\n"]));
    return encoder.encode(text);
  }
  let bytes = Uint8Array.from(pick(samples));
  for (let changes = 1 + below(random() < 0.2 ? 40 : 5); changes > 0; changes--) bytes = change(bytes);
  return bytes.slice(0, MOST_BYTES);

  function change(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const at = below(bytes.length + 1);
    const length = 1 + below(random() < 0.5 ? 8 : bytes.length || 1);
    switch (below(9)) {
      case 0:
        return with_(bytes, (copy) => copy[at] = copy[at]! ^ 1 << below(8));
      case 1:
        return with_(bytes, (copy) => copy[at] = below(256));
      case 2:
        return bytes.slice(0, at);
      case 3:
        return splice(bytes, at, length, new Uint8Array());
      case 4:
        return splice(bytes, at, 0, bytes.subarray(at, at + length));
      case 5:
        return splice(bytes, at, below(2) * length, Uint8Array.from({ length: below(16) }, () => below(256)));
      case 6:
        return splice(bytes, at, 0, pick(samples).subarray(below(1000), 1000 + below(1000)));
      case 7:
        return words.length === 0 ? bytes : splice(bytes, at, below(2) * length, encoder.encode(pick(words)));
      default:
        return with_(bytes, (copy) => integer(copy, at));
    }
  }

  function integer(bytes: Uint8Array, at: number): void {
    const view = new DataView(bytes.buffer);
    const value = random() < 0.8 ? pick(INTEGERS) : BigInt(below(2 ** 32));
    if (random() < 0.5 && at + 8 <= bytes.length) view.setBigUint64(at, value, true);
    else if (at + 4 <= bytes.length) view.setUint32(at, Number(value & 0xffffffffn), true);
  }
}

function with_(bytes: Uint8Array<ArrayBuffer>, act: (copy: Uint8Array) => void): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  act(copy);
  return copy;
}

function splice(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array<ArrayBuffer> {
  const spliced = new Uint8Array(
    Math.min(at, bytes.length) + added.length + Math.max(0, bytes.length - at - removed),
  );
  spliced.set(bytes.subarray(0, at));
  spliced.set(added, at);
  spliced.set(bytes.subarray(at + removed), at + added.length);
  return spliced;
}
