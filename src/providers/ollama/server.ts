import { type Address, addressOf, isSecret, withCredentials } from "../../lib/net/address.ts";
import { isReadable, passwordFault, tokenFault } from "../../lib/net/api_key.ts";
import { UsageError } from "../../lib/errors.ts";
import { OLLAMA_SERVER } from "../../spec/schema/base_name.ts";
import type { Spec } from "../../spec/schema/schema.ts";
import type { Env } from "../provider.ts";
import { ollamaHost } from "./ollama_host.ts";

/** Where a server is, and where the address comes from: an option, a field, a variable, or the default. */
export interface Server {
  readonly address: Address;
  readonly from: string;
}

/** The fields of a pipeline about its server. */
export type ServerFields = Partial<
  Pick<Extract<Spec["provider"], { kind: "ollama" }>, "server" | "auth_env">
>;

export const DEFAULT = "Ollama's default";

/** A provider that only trains has none. */
export function serverFields({ provider }: Pick<Spec, "provider">): ServerFields {
  return provider.kind === "ollama" ? provider : {};
}

/** The server that is given, else the pipeline's, else that of OLLAMA_HOST, else Ollama's default. */
export function serverOf(fields: ServerFields, env: Env["env"], given?: string): Server {
  const [text, from] = given !== undefined
    ? [given, "--server"]
    : fields.server !== undefined
    ? [fields.server, "provider.server"]
    : env["OLLAMA_HOST"]?.trim()
    ? [ollamaHost(env["OLLAMA_HOST"]), "OLLAMA_HOST"]
    : [OLLAMA_SERVER, DEFAULT];
  try {
    if (!/^https?:/i.test(text)) throw new TypeError("neither http:// nor https://");
    return { address: addressOf(text), from };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError("bad-address", `Cannot use the address in ${from}: it is ${error.message}`, {
      hint: "Write it as http://HOST:PORT",
    });
  }
}

/** The server's address with its credentials. Throws a UsageError where they are missing or must not be sent. */
export function authorized(
  { address, from }: Server,
  { auth_env: name }: ServerFields,
  env: Env["env"],
): Address {
  const credentials = name === undefined ? undefined : credentialsIn(name, env);
  const full = credentials === undefined ? address : withCredentials(address, credentials);
  if (!isSecret(full) || !isReadable(full.shown)) return full;
  const what = name === undefined ? `the secrets in ${from}` : name;
  throw new UsageError(
    "readable-secret",
    `Cannot send ${what} to ${full.shown}: http:// to another machine is not encrypted`,
    { hint: "Use an https:// address, or a tunnel that ends on this machine" },
  );
}

/** Why the variable cannot be used; undefined where it can be, or is not set. */
export function authFault(name: string, env: Env["env"]): string | undefined {
  const value = env[name];
  if (value === undefined) return undefined;
  return value.includes(":") ? passwordFault(value) : tokenFault(value);
}

function credentialsIn(name: string, env: Env["env"]): string {
  const fault = env[name] === undefined ? "is not set" : authFault(name, env);
  if (fault === undefined) return env[name]!;
  throw new UsageError("bad-credentials", `Cannot use ${name} (provider.auth_env): it ${fault}`, {
    hint: "Set it to a token, or to USER:PASSWORD",
  });
}
