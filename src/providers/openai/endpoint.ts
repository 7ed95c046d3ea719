import { type Address, addressOf, withCredentials } from "../../lib/net/address.ts";
import { isReadable, tokenFault } from "../../lib/net/api_key.ts";
import { TemperError, UsageError } from "../../lib/errors.ts";
import type { Dialect } from "../../spec/dialects/dialect.ts";
import type { Env } from "../provider.ts";
import { dialectOf, type HostedSpec } from "./hosted_spec.ts";

/** Where the service is and which variable holds its key. Nothing in it is secret. */
export interface Endpoint {
  readonly dialect: Dialect;
  readonly baseUrl: string;
  readonly keyEnv: string;
}

export function endpointOf(spec: HostedSpec, env: Env["env"]): Endpoint {
  const { base_url: baseUrl, api_key_env: keyEnv } = spec.provider;
  return endpointIn(dialectOf(spec), env, { baseUrl, keyEnv });
}

/** The endpoint that is given, else the environment's, else the dialect's own. */
export function endpointIn(
  dialect: Dialect,
  env: Env["env"],
  given: { readonly baseUrl?: string | undefined; readonly keyEnv?: string | undefined } = {},
): Endpoint {
  const { standard, example, env: variable } = dialect.address;
  const fromEnv = env[variable]?.trim();
  const baseUrl = given.baseUrl ?? (fromEnv ? readAddress(fromEnv, variable).shown : standard);
  if (baseUrl === undefined) {
    throw new UsageError("no-base-url", `Cannot find ${dialect.service}: provider.base_url is not set`, {
      hint: `Set it, or ${variable}, to ${example}`,
    });
  }
  return { dialect, baseUrl: baseUrl.replace(/\/+$/, ""), keyEnv: given.keyEnv ?? dialect.keyEnv };
}

function readAddress(text: string, from: string): Address {
  try {
    return addressOf(text);
  } catch {
    throw new UsageError("bad-address", `Cannot use ${from}: it is not a URL`, {
      hint: "Write it as https://HOST/v1",
    });
  }
}

/**
 * The endpoint's address with the credentials that each request carries: the key, or the user and password of an
 * address from the environment. Throws where they are missing or must not be sent. `missingKey`: used for a key that is
 * not set.
 */
export function authorizedAddress(
  { baseUrl, keyEnv, dialect }: Endpoint,
  env: Env["env"],
  missingKey?: string,
): Address {
  const variable = dialect.address.env;
  const given = env[variable]?.trim();
  const fromEnv = given ? readAddress(given, variable) : undefined;
  const address = fromEnv?.shown === baseUrl ? fromEnv : readAddress(baseUrl, "provider.base_url");
  const full = address.authorization === undefined
    ? withCredentials(address, keyOf({ keyEnv, dialect }, env, missingKey), "Bearer")
    : address;
  if (!isReadable(full.shown)) return full;
  const what = address.authorization === undefined ? `the key in ${keyEnv}` : `the password in ${variable}`;
  throw new UsageError(
    "readable-secret",
    `Cannot send ${what} to ${full.shown}: http:// to another machine is not encrypted`,
    { hint: "Use an https:// address, or a tunnel that ends on this machine" },
  );
}

function keyOf(
  { keyEnv, dialect }: Pick<Endpoint, "keyEnv" | "dialect">,
  env: Env["env"],
  missingKey: string | undefined,
): string {
  const key = env[keyEnv] ?? missingKey;
  if (key === undefined) {
    throw new TemperError("no-api-key", `Cannot reach ${dialect.service}: ${keyEnv} is not set`, {
      hint: `Set it to your key, or name another variable in provider.api_key_env`,
    });
  }
  const fault = tokenFault(key);
  if (fault === undefined) return key;
  throw new UsageError("bad-api-key", `Cannot use the key in ${keyEnv}: it ${fault}`, {
    hint: "Set the variable to exactly the key that the service shows",
  });
}

/** Whether the address is the service's own, not that of a gateway or a mock. */
export function isOwnHost({ dialect, baseUrl }: Endpoint): boolean {
  return URL.canParse(baseUrl) && dialect.address.hosts.test(new URL(baseUrl).hostname);
}
