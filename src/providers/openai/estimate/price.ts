import { z } from "zod";
import { UsageError } from "../../../lib/errors.ts";
import { parseYaml } from "../../../spec/yaml/yaml.ts";
import type { Env } from "../../provider.ts";
import { dialectOf, type HostedSpec } from "../hosted_spec.ts";

/** USD for a million tokens. */
export interface Price {
  readonly training: number;
  readonly input?: number | undefined;
  readonly output?: number | undefined;
  /** Where the price comes from, with its date. */
  readonly source: string;
}

const price = z.strictObject({
  training: z.number().min(0),
  input: z.number().min(0).optional(),
  output: z.number().min(0).optional(),
});
const pricesFile = z.strictObject({
  date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, "must be a date such as 2026-11-22"),
  models: z.record(z.string(), price),
});

/** The price of a base; `undefined` when none is known. */
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
  const { date, models } = dialectOf(spec).prices;
  const listed = Object.hasOwn(models, base) ? models[base] : undefined;
  return listed && {
    ...listed,
    source: `temper's table of ${date}, from a copy of the service's price page: check it before you pay`,
  };
}

/** `ft:BASE:org:suffix:id` is trained and billed as its base. */
export function familyOf(base: string): string {
  return base.startsWith("ft:") ? base.split(":")[1] ?? base : base;
}

async function readPrices(path: string, { fs }: Env): Promise<z.infer<typeof pricesFile>> {
  const refuse = (found: string) =>
    new UsageError("bad-prices", `Cannot read prices "${path}": ${found}`, {
      hint:
        "Write date: 2026-11-22 and models: {NAME: {training: 5, input: 0.8, output: 3.2}}, in USD for a million tokens",
    });
  if (!(await fs.stat(path))?.isFile) throw refuse("there is no such file");
  const yaml = parseYaml(await fs.readText(path));
  if (yaml.faults[0]) throw refuse(yaml.faults[0].message);
  const parsed = pricesFile.safeParse(yaml.value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refuse(`${issue?.path.join(".") || "the file"}: ${issue?.message}`);
}
