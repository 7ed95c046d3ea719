const [C1, C2, C3, C4] = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93];

/**
 * MurmurHash3 (x86, 128 bits) of a text's UTF-16 units, as a string of eight units: short, comparable, and a key of
 * maps. Not for secrets: someone who wants two texts to collide can make them. Otherwise two of a billion texts
 * collide with a chance below 10⁻²⁰. Unlike a digest of node:crypto it leaves no native garbage behind.
 */
export function murmur128(text: string, seed = 0): string {
  let [h1, h2, h3, h4] = [seed, seed, seed, seed];
  const length = text.length;
  const whole = length - length % 8;
  for (let i = 0; i < whole; i += 8) {
    h1 = Math.imul(rotl(h1 ^ mix(word(text, i), C1, C2, 15), 19) + h2, 5) + 0x561ccd1b | 0;
    h2 = Math.imul(rotl(h2 ^ mix(word(text, i + 2), C2, C3, 16), 17) + h3, 5) + 0x0bcaa747 | 0;
    h3 = Math.imul(rotl(h3 ^ mix(word(text, i + 4), C3, C4, 17), 15) + h4, 5) + 0x96cd1c35 | 0;
    h4 = Math.imul(rotl(h4 ^ mix(word(text, i + 6), C4, C1, 18), 13) + h1, 5) + 0x32ac3b17 | 0;
  }
  h1 ^= mix(word(text, whole), C1, C2, 15);
  h2 ^= mix(word(text, whole + 2), C2, C3, 16);
  h3 ^= mix(word(text, whole + 4), C3, C4, 17);
  h4 ^= mix(word(text, whole + 6), C4, C1, 18);
  return finish(h1, h2, h3, h4, 2 * length);
}

/** Two units, the first in the low half; 0 behind the end. */
function word(text: string, i: number): number {
  // NaN, which is behind the end, becomes 0.
  return text.charCodeAt(i) | text.charCodeAt(i + 1) << 16;
}

function mix(k: number, a: number, b: number, r: number): number {
  return Math.imul(rotl(Math.imul(k, a), r), b);
}

function rotl(x: number, r: number): number {
  return x << r | x >>> 32 - r;
}

function finish(h1: number, h2: number, h3: number, h4: number, bytes: number): string {
  h1 ^= bytes;
  h2 ^= bytes;
  h3 ^= bytes;
  h4 ^= bytes;
  h1 = h1 + h2 + h3 + h4 | 0;
  h2 = h2 + h1 | 0;
  h3 = h3 + h1 | 0;
  h4 = h4 + h1 | 0;
  h1 = avalanche(h1);
  h2 = avalanche(h2);
  h3 = avalanche(h3);
  h4 = avalanche(h4);
  h1 = h1 + h2 + h3 + h4 | 0;
  h2 = h2 + h1 | 0;
  h3 = h3 + h1 | 0;
  h4 = h4 + h1 | 0;
  return String.fromCharCode(h1 >>> 16, h1, h2 >>> 16, h2, h3 >>> 16, h3, h4 >>> 16, h4);
}

function avalanche(h: number): number {
  h = Math.imul(h ^ h >>> 16, 0x85ebca6b);
  h = Math.imul(h ^ h >>> 13, 0xc2b2ae35);
  return h ^ h >>> 16;
}
