import { z } from "../../../deps/zod.ts";
import { UsageError } from "../../../lib/errors.ts";
import { parseYaml } from "../../../spec/yaml/yaml.ts";
import type { Env } from "../../provider.ts";
import type { HostedSpec } from "./dialect.ts";

/** USD for a million tokens. */
export interface Price {
  readonly training: number;
  readonly input?: number | undefined;
  readonly output?: number | undefined;
  /** Where it is from, with its date. */
  readonly source: string;
}

const DATE = "2026-11-22";
const SOURCE = `temper's table of ${DATE}, from a copy of the service's price page: look before you pay`;

/** By family, as list prices stood on DATE. Data, not truth: provider.price and --prices go before it. */
const TABLE: Readonly<Record<string, readonly [training: number, input: number, output: number]>> = {
  "gpt-4.1-2025-04-14": [25, 3, 12],
  "gpt-4.1-mini-2025-04-14": [5, 0.8, 3.2],
  "gpt-4.1-nano-2025-04-14": [1.5, 0.2, 0.8],
  "gpt-4o-2024-08-06": [25, 3.75, 15],
  "gpt-4o-mini-2024-07-18": [3, 0.3, 1.2],
};

const price = z.strictObject({
  training: z.number().min(0),
  input: z.number().min(0).optional(),
  output: z.number().min(0).optional(),
});
const pricesFile = z.strictObject({
  date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, "must be a date such as 2026-11-22"),
  models: z.record(z.string(), price),
});

/** The price of a base; `undefined` when nobody knows one. */
export async function priceOf(spec: HostedSpec, env: Env): Promise<Price | undefined> {
  const { provider } = spec;
  if (provider.price) return { ...provider.price, source: "provider.price in the file" };
  const base = familyOf(provider.base);
  const path = env.asked?.prices;
  if (path !== undefined) {
    const { date, models } = await readPrices(path, env);
    const own = models[provider.base] ?? models[base];
    if (own) return { ...own, source: `"${path}" of ${date}` };
  }
  const listed = provider.dialect === "openai" && Object.hasOwn(TABLE, base) ? TABLE[base] : undefined;
  if (!listed) return undefined;
  const [training, input, output] = listed;
  return { training, input, output, source: SOURCE };
}

/** `ft:BASE:org:suffix:id` is trained and billed as its base. */
export function familyOf(base: string): string {
  return base.startsWith("ft:") ? base.split(":")[1] ?? base : base;
}

async function readPrices(path: string, { fs }: Env): Promise<z.infer<typeof pricesFile>> {
  const refuse = (found: string) =>
    new UsageError("bad-prices", `Cannot read prices "${path}": ${found}`, {
      hint:
        "It holds date: 2026-11-22 and models: {NAME: {training: 5, input: 0.8, output: 3.2}}, USD a million tokens",
    });
  if (!(await fs.stat(path))?.isFile) throw refuse("there is no such file");
  const yaml = parseYaml(await fs.readText(path));
  if (yaml.faults[0]) throw refuse(yaml.faults[0].message);
  const parsed = pricesFile.safeParse(yaml.value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refuse(`${issue?.path.join(".") || "the file"}: ${issue?.message}`);
}
