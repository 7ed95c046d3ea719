import { UsageError } from "../../lib/errors.ts";
import type { FieldProblem } from "../../spec/rules/field_problem.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import { valuesWith } from "../../spec/rules/secrets.ts";
import type { Env } from "../provider.ts";
import { authorizedAddress, endpointOf } from "./endpoint.ts";
import { dialectOf, type HostedSpec, hostedSpec } from "./hosted_spec.ts";

/**
 * What would keep the key from being sent. A key or an address that is not set is no finding: a file may be checked on
 * another machine than the one it runs on.
 */
export function inspectHosted({ spec }: LoadedSpec, { env }: Env): Promise<FieldProblem[]> {
  const hosted = hostedSpec(spec);
  const { api_key_env: keyEnv = dialectOf(hosted).keyEnv } = hosted.provider;
  return Promise.resolve([...valuesWith(spec, env[keyEnv]), ...keyFindings(hosted, env)]);
}

function keyFindings(spec: HostedSpec, env: Env["env"]): FieldProblem[] {
  const { provider } = spec;
  try {
    authorizedAddress(endpointOf(spec, env), env, "no-key");
    return [];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (error.code === "no-base-url") return [];
    const field = (["api_key_env", "base_url"] as const).find((name) => provider[name] !== undefined) ??
      "kind";
    return [{ path: ["provider", field], at: "value", message: error.message, hint: error.hint }];
  }
}
