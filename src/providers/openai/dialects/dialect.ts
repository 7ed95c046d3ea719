import { type Address, addressOf, withCredentials } from "../../../lib/net/address.ts";
import { isReadable, tokenFault } from "../../../lib/net/api_key.ts";
import { TemperError, UsageError } from "../../../lib/errors.ts";
import type { Spec } from "../../../spec/schema/schema.ts";
import type { Env } from "../../provider.ts";

export type HostedSpec = Spec & { readonly provider: Extract<Spec["provider"], { kind: "openai" }> };

/** What differs between the services that speak the protocol. */
export interface Dialect {
  readonly name: "openai" | "nebius" | "azure";
  readonly service: string;
  /** Absent: every customer has an address of their own. */
  readonly baseUrl?: string;
  /** Hosts of the service itself: what its closing dates are about. */
  readonly hosts: RegExp;
  readonly keyEnv: string;
  readonly urlEnv: string;
  /** Whether a job carries metadata that the list can be filtered by. */
  readonly metadata: boolean;
  readonly validationIsFree: boolean;
}

export const DIALECTS: { readonly [D in Dialect["name"]]: Dialect } = {
  openai: {
    name: "openai",
    service: "OpenAI",
    baseUrl: "https://api.openai.com/v1",
    hosts: /^api\.openai\.com$/,
    keyEnv: "OPENAI_API_KEY",
    urlEnv: "OPENAI_BASE_URL",
    metadata: true,
    validationIsFree: true,
  },
  nebius: {
    name: "nebius",
    service: "Nebius Token Factory",
    baseUrl: "https://api.tokenfactory.nebius.com/v1",
    hosts: /(^|\.)nebius\.com$/,
    keyEnv: "NEBIUS_API_KEY",
    urlEnv: "NEBIUS_BASE_URL",
    metadata: false,
    validationIsFree: false,
  },
  azure: {
    name: "azure",
    service: "Azure Foundry",
    hosts: /\.(openai|services\.ai)\.azure\.com$/,
    keyEnv: "AZURE_OPENAI_API_KEY",
    urlEnv: "AZURE_OPENAI_BASE_URL",
    metadata: false,
    validationIsFree: false,
  },
};

export function hostedSpec(spec: Spec): HostedSpec {
  if (spec.provider.kind !== "openai") throw new TypeError("Cannot run there: the provider is not hosted");
  return spec as HostedSpec;
}

export function dialectOf({ provider }: HostedSpec): Dialect {
  return DIALECTS[provider.dialect];
}

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

/** The endpoint that the environment and the dialect say, where nothing else is given. */
export function endpointIn(
  dialect: Dialect,
  env: Env["env"],
  given: { readonly baseUrl?: string | undefined; readonly keyEnv?: string | undefined } = {},
): Endpoint {
  const fromEnv = env[dialect.urlEnv]?.trim();
  const baseUrl = given.baseUrl ?? (fromEnv ? readAddress(fromEnv, dialect.urlEnv).shown : dialect.baseUrl);
  if (baseUrl === undefined) {
    throw new UsageError("no-base-url", `Cannot find ${dialect.service}: provider.base_url is not set`, {
      hint: `Set it, or ${dialect.urlEnv}, to https://RESOURCE.openai.azure.com/openai/v1`,
    });
  }
  return { dialect, baseUrl: baseUrl.replace(/\/+$/, ""), keyEnv: given.keyEnv ?? dialect.keyEnv };
}

function readAddress(text: string, from: string): Address {
  try {
    return addressOf(text);
  } catch {
    throw new UsageError("bad-address", `Cannot use ${from}: it is not an address`, {
      hint: "Write it as https://HOST/v1",
    });
  }
}

/**
 * The endpoint's address with what each request carries: the key, or the user and password of an address that came
 * from the environment. Throws where it cannot be sent, or must not be. `missingKey`: taken for a key that is not set.
 */
export function authorizedAddress(
  { baseUrl, keyEnv, dialect }: Endpoint,
  env: Env["env"],
  missingKey?: string,
): Address {
  const given = env[dialect.urlEnv]?.trim();
  const fromEnv = given ? readAddress(given, dialect.urlEnv) : undefined;
  const address = fromEnv?.shown === baseUrl ? fromEnv : readAddress(baseUrl, "provider.base_url");
  const full = address.authorization === undefined
    ? withCredentials(address, keyOf({ keyEnv, dialect }, env, missingKey), "Bearer")
    : address;
  if (!isReadable(full.shown)) return full;
  const what = address.authorization === undefined
    ? `the key in ${keyEnv}`
    : `the password in ${dialect.urlEnv}`;
  throw new UsageError(
    "readable-secret",
    `Cannot send ${what} to ${full.shown}: http:// to another machine is not encrypted`,
    { hint: "Take an https:// address, or a tunnel that ends on this machine" },
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
    hint: "Set the variable to the key alone, as the service shows it",
  });
}

/** Whether the address is the service's own, and not a gateway's or a mock's. */
export function isOwnHost({ dialect, baseUrl }: Endpoint): boolean {
  return URL.canParse(baseUrl) && dialect.hosts.test(new URL(baseUrl).hostname);
}
