import type { Address } from "../../lib/net/address.ts";
import { shellWord } from "../../lib/text/shell_word.ts";
import { OLLAMA_SERVER } from "../../spec/schema/base.ts";

/**
 * The command that talks to a model, without a secret in it. `ollama run` supports neither passwords nor query
 * parameters: a server that needs them is called with curl. `name`: the variable with the credentials. `think: false`:
 * the model answers as trained only with this option.
 */
export function talkCommand(
  model: string,
  { shown, authorization, query }: Address,
  name: string | undefined,
  think?: false,
): string {
  if (authorization === undefined && query.length === 0) {
    return `${shown === OLLAMA_SERVER ? "" : `OLLAMA_HOST=${shellWord(shown)} `}ollama run ${model}${
      think === false ? " --think=false" : ""
    }`;
  }
  const parameters = query.map(([key]) => `${encodeURIComponent(key)}=…`).join("&");
  const url = `${shown}/api/chat${parameters === "" ? "" : `?${parameters}`}`;
  const body = JSON.stringify({ model, stream: false, think, messages: [{ role: "user", content: "…" }] });
  return ["curl", ...credentials(authorization, name), shellWord(url), "-d", shellWord(body)].join(" ");
}

/** curl asks for a password that is in no variable. */
function credentials(authorization: string | undefined, name: string | undefined): string[] {
  if (authorization === undefined) return [];
  if (name === undefined) return ["-u", "USER"];
  return authorization.startsWith("Basic ")
    ? ["-u", `"$${name}"`]
    : ["-H", `"Authorization: Bearer $${name}"`];
}
