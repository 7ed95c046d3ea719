import type { JsonObject } from "../../lib/json/json.ts";
import { valueAt } from "../../spec/yaml/path.ts";
import type { Dialect, Goal, JobRequest } from "../../spec/dialects/dialect.ts";
import { DIALECTS } from "../../spec/dialects/registry.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { Spec } from "../../spec/schema/schema.ts";

export type HostedSpec = Spec & { readonly provider: Extract<Spec["provider"], { kind: "openai" }> };

export function hostedSpec(spec: Spec): HostedSpec {
  if (spec.provider.kind !== "openai") throw new TypeError("Cannot use the provider: it is not a hosted one");
  return spec as HostedSpec;
}

export function dialectOf({ provider }: HostedSpec): Dialect {
  return DIALECTS[provider.dialect];
}

/** The job that a pipeline asks for, in the terms of the dialects. */
export function jobRequest(loaded: LoadedSpec, rows: number, goal: Goal): JobRequest {
  const spec = hostedSpec(loaded.spec);
  return {
    fields: spec,
    epochs: epochsOf(spec, rows),
    goal,
    suffix: suffixOf(spec),
    isSet: (field) => isSet(loaded, field),
  };
}

/** The call that creates the job, as the dialect spells it, without files and metadata. */
export function createBody(loaded: LoadedSpec, rows: number, goal: Goal): JsonObject {
  const dialect = dialectOf(hostedSpec(loaded.spec));
  const job = jobRequest(loaded, rows, goal);
  const values = dialect.hyperparameters(job).map(({ name, value }) => [name, value]);
  return dialect.createBody(job, Object.fromEntries(values));
}

export function epochsOf(spec: HostedSpec, rows: number): number {
  return spec.train.epochs ?? dialectOf(spec).epochs(rows);
}

/** name-method, in the characters every service takes. */
export function suffixOf({ provider, name, method }: HostedSpec): string {
  if (provider.suffix !== undefined) return provider.suffix;
  const tail = `-${method.kind}`;
  const head = name.replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, 64 - tail.length);
  return head.endsWith(tail) ? head : head + tail;
}

/** Most tokens of a row. */
export function rowLimit(loaded: LoadedSpec): number {
  const { rowTokens } = dialectOf(hostedSpec(loaded.spec)).limits;
  return isSet(loaded, "train.max_length") ? Math.min(rowTokens, loaded.spec.train.max_length) : rowTokens;
}

/** Whether the file sets a field itself. */
export function isSet({ given }: LoadedSpec, field: string): boolean {
  return valueAt(given, field.split(".")) !== undefined;
}

/** Scoring the base costs money here, so it is done only when the file asks for it. */
export function scoresBefore(loaded: LoadedSpec): boolean {
  return loaded.spec.evaluate.before && isSet(loaded, "evaluate.before");
}
