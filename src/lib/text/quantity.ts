const SIZES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};
const COUNTS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12 };

/** Bytes as a person writes them: `24GiB`, `80 GB`, `512MB`. Undefined when it is none. */
export function parseSize(text: string): number | undefined {
  return parse(text, SIZES);
}

/** Devices and the bytes of each: `8x80GB`, `2 x 24GiB`, or one of them: `80GB`. Undefined when it is none. */
export function parseDevices(text: string): { readonly count: number; readonly each: number } | undefined {
  const [, count = "1", size = ""] = text.trim().match(/^(?:(\d{1,5})\s*[x×]\s*)?([^x×]+)$/i) ?? [];
  const each = parseSize(size);
  return each === undefined || Number(count) < 1 ? undefined : { count: Number(count), each };
}

/** A count as a person writes it: `5000`, `8e9`, `8B`, `135M`. Undefined when it is none. */
export function parseCount(text: string): number | undefined {
  return parse(text, COUNTS);
}

function parse(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, unit] = text.trim().match(/^(\d+(?:\.\d+)?(?:e\d+)?)\s*([a-z]*)$/i) ?? [];
  const factor = unit === undefined ? undefined : units[unit.toLowerCase()];
  const value = factor === undefined ? NaN : Number(number) * factor;
  return value > 0 && Number.isFinite(value) ? value : undefined;
}
