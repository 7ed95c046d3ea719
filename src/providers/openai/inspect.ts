import { UsageError } from "../../lib/errors.ts";
import type { Finding } from "../../spec/finding.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { Env } from "../provider.ts";
import { authorizedAddress, endpointOf, hostedSpec } from "./dialect.ts";

/**
 * What keeps the key from being sent. One that is not set is no finding, and neither is an address that is not known: a
 * file may be checked where it will not be run.
 */
export function inspectHosted({ spec }: LoadedSpec, { env }: Env): Promise<Finding[]> {
  const { provider } = hostedSpec(spec);
  try {
    authorizedAddress(endpointOf(hostedSpec(spec), env), env, "no-key");
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (error.code === "no-base-url") return Promise.resolve([]);
    const field = (["api_key_env", "base_url"] as const).find((name) => provider[name] !== undefined) ??
      "kind";
    return Promise.resolve([{
      path: ["provider", field],
      at: "value",
      message: error.message,
      hint: error.hint,
    }]);
  }
  return Promise.resolve([]);
}
