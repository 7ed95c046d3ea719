import { TemperError, UsageError } from "../../lib/errors.ts";
import type { Spec } from "../../spec/schema.ts";
import type { Env } from "../provider.ts";

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
  const dialect = dialectOf(spec);
  const baseUrl = spec.provider.base_url ?? (env[dialect.urlEnv] || dialect.baseUrl);
  if (baseUrl === undefined) {
    throw new UsageError("no-base-url", `Cannot find ${dialect.service}: provider.base_url is not set`, {
      hint: `Set it, or ${dialect.urlEnv}, to https://RESOURCE.openai.azure.com/openai/v1`,
    });
  }
  return {
    dialect,
    baseUrl: baseUrl.replace(/\/+$/, ""),
    keyEnv: spec.provider.api_key_env ?? dialect.keyEnv,
  };
}

export function keyOf({ keyEnv, dialect }: Endpoint, env: Env["env"]): string {
  const key = env[keyEnv]?.trim();
  if (key) return key;
  throw new TemperError("no-api-key", `Cannot reach ${dialect.service}: ${keyEnv} is not set`, {
    hint: `Set it to your key, or name another variable in provider.api_key_env`,
  });
}

/** Whether the address is the service's own, and not a gateway's or a mock's. */
export function isOwnHost({ dialect, baseUrl }: Endpoint): boolean {
  return URL.canParse(baseUrl) && dialect.hosts.test(new URL(baseUrl).hostname);
}
